//! The builder methods that tools, prompts and resources have in common. Not what only one of them
//! has.

/// Writes `description`, `scope`, `title` and `icon` for a type with the fields that they set. Methods
/// of the type and not of a trait, so that an author imports nothing for them.
macro_rules! declared {
    ($type:ident, $description:literal, $use:literal) => {
        impl $type {
            #[doc = $description]
            pub fn description(mut self, description: impl Into<String>) -> Self {
                self.description = Some(description.into());
                self
            }

            #[doc = concat!("A scope that a caller needs to ", $use, " it. Given several times, ")]
            /// all of them are needed. Other callers do not see it in lists.
            pub fn scope(mut self, scope: impl Into<String>) -> Self {
                self.scopes.push(scope.into());
                self
            }

            /// A name for people.
            pub fn title(mut self, title: impl Into<String>) -> Self {
                self.title = Some(title.into());
                self
            }

            /// Adds a picture.
            pub fn icon(mut self, icon: Icon) -> Self {
                self.icons.push(icon);
                self
            }
        }
    };
}

pub(crate) use declared;
