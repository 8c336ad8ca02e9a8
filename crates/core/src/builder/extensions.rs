//! Extensions of the protocol: skills, pages, and those that consist of tools and resources.

use serde_json::Value;

use super::{Builder, register};
#[cfg(feature = "pages")]
use crate::page::Page;
#[cfg(feature = "skills")]
use crate::skill::Skills;

impl Builder {
    /// Adds [skills](crate::skill): instructions for models, with the files that belong to them. They
    /// are listed by `skills/list`, their files are resources, and both are declared to clients.
    /// (Feature `skills`.)
    #[cfg(feature = "skills")]
    pub fn skills(mut self, skills: Skills) -> Self {
        self.kinds.add_skills(&mut self.state);
        self.skills.push(skills);
        self
    }

    /// Adds a page that tools name with [`Tool::ui`](crate::Tool::ui). The same page, given twice, is
    /// one: two toolkits may share it. (Feature `pages`.)
    #[cfg(feature = "pages")]
    pub fn page(mut self, page: Page) -> Self {
        self.kinds.add_resources(&mut self.state);
        if !self.pages.contains(&page) {
            self.pages.push(page);
        }
        self
    }

    /// Says to clients that the server has an extension of the protocol: its id, such as
    /// `com.example/reports`, and an object of settings (`{}` has none). What the extension consists of
    /// is for tools and resources to do; what a client declares of it is in [`Cx::client`](crate::Cx::client).
    ///
    /// ```
    /// use mcpfn_core::Server;
    ///
    /// let server = Server::builder("shop", "1.0.0").extension("com.example/reports", serde_json::json!({"pdf": true}));
    /// assert!(server.build().is_ok());
    /// ```
    pub fn extension(mut self, id: impl Into<String>, settings: Value) -> Self {
        let id = id.into();
        if let Some(mistake) = register::extension_mistake(&id, &settings) {
            self.mistakes.push(mistake);
        } else if self.extensions.contains_key(&id) {
            self.mistakes
                .push(format!("extension `{id}` is declared twice"));
        }
        self.extensions.insert(id, settings);
        self
    }
}
