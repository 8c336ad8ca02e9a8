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

/// Writes `old_name` and `deprecated` for a type that clients call by its name.
macro_rules! outlived {
    ($type:ident, $what:literal) => {
        impl $type {
            #[doc = concat!("A name that the ", $what, " had before. It is called by that as well, and")]
            /// listed as deprecated there. Its limits are the same, however it is called.
            pub fn old_name(mut self, name: impl Into<String>) -> Self {
                self.old_names.push(name.into());
                self
            }

            #[doc = concat!("The ", $what, " goes away in a later release. `advice` is what to do")]
            /// instead, as the end of a sentence: ``use `find_products` ``. Clients read it in the
            /// description, programs in `_meta["dev.mcpfn/deprecated"]`; each call has it in its
            /// result's `_meta` and in the log.
            pub fn deprecated(mut self, advice: impl Into<String>) -> Self {
                self.deprecated = Some(advice.into());
                self
            }
        }
    };
}

pub(crate) use {declared, outlived};
