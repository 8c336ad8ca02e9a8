//! Names of vectors in stores whose names are short and whose ids are one set for all collections,
//! such as Vectorize. Asks none.

/// The most bytes of a name there.
const MAX_NAME: usize = 64;

/// What a model and its passages are called in a store with names of at most 64 bytes.
///
/// A name that is too long becomes one that begins with `~` and is made of all of it. By chance no
/// two become one; whoever chooses names can find such.
///
/// ```
/// use mcpfn_ports::VectorNames;
///
/// let names = VectorNames::of("all-MiniLM-L6-v2");
/// assert_eq!(names.collection(), "all-MiniLM-L6-v2");
/// let entry = names.entry("leave-policy:1200");
/// assert_eq!(names.id(&entry), Some("leave-policy:1200"));
/// assert_eq!(VectorNames::of("another").id(&entry), None);
///
/// let short = names.entry(&"a".repeat(60));
/// assert!(VectorNames::is_short(&short) && short.len() <= 64);
/// assert_ne!(short, names.entry(&"a".repeat(61)));
/// ```
#[derive(Debug, Clone)]
pub struct VectorNames {
    collection: String,
    /// What an id begins with there: models have passages with the same ids.
    mark: String,
}

impl VectorNames {
    /// The names of a model and its passages.
    #[must_use]
    pub fn of(model: &str) -> Self {
        Self {
            collection: short(model.to_owned()),
            mark: format!("{:08x}/", hash(model) as u32),
        }
    }

    /// What the model is called.
    #[must_use]
    pub fn collection(&self) -> &str {
        &self.collection
    }

    /// What a passage is called.
    #[must_use]
    pub fn entry(&self, id: &str) -> String {
        short(format!("{}{id}", self.mark))
    }

    /// The id of a passage by its name; nothing for one that was shortened, or of another model.
    #[must_use]
    pub fn id<'a>(&self, entry: &'a str) -> Option<&'a str> {
        entry.strip_prefix(&self.mark)
    }

    /// Whether a name was shortened: then its id has to stand beside it.
    #[must_use]
    pub fn is_short(entry: &str) -> bool {
        entry.starts_with('~')
    }
}

fn short(name: String) -> String {
    if name.len() <= MAX_NAME && !VectorNames::is_short(&name) {
        return name;
    }
    format!("~{:032x}", hash(&name))
}

/// FNV-1a of 128 bits.
fn hash(name: &str) -> u128 {
    let basis = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    name.bytes().fold(basis, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    })
}
