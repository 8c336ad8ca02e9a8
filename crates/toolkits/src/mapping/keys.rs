//! Keys that mean the same rows, and so must be equal: what they hold. Makes no SQL.

use super::members::MistakesFound;
use super::scope::Class;

/// The classes of keys that mean the same rows.
#[derive(Default)]
pub(super) struct Keys(Vec<(&'static str, Class, String)>);

impl Keys {
    /// Notes what a key holds, and reports one that can't be equal to the others.
    pub(super) fn note(
        &mut self,
        group: &'static str,
        class: Class,
        place: &str,
        found: &mut MistakesFound,
    ) {
        match self.0.iter().find(|(known, ..)| *known == group) {
            None => self.0.push((group, class, place.to_owned())),
            Some((_, known, at)) if *known != class => found.add(
                place,
                format!("it is no key of the rows that `{at}` names: one is text, one a number"),
            ),
            Some(_) => {}
        }
    }

    /// What the keys of these rows hold; text where none is mapped.
    pub(super) fn class(&self, group: &str) -> Class {
        let known = self.0.iter().find(|(known, ..)| *known == group);
        known.map_or(Class::Text, |(_, class, _)| *class)
    }
}
