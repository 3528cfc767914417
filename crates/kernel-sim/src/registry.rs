//! The registry, as a driver finds it: keys by their paths, and the values in them.

use std::collections::BTreeSet;

use netio_anycast_protocol::status::NtStatus;

use crate::core::{Core, Registry};

/// `REG_NONE`, `REG_SZ`, `REG_EXPAND_SZ`, `REG_DWORD`, `REG_MULTI_SZ`.
pub(crate) const NONE: u32 = 0;
pub(crate) const SZ: u32 = 1;
pub(crate) const EXPAND_SZ: u32 = 2;
pub(crate) const DWORD: u32 = 4;
pub(crate) const MULTI_SZ: u32 = 7;

/// A value: its name, its type, its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) kind: u32,
    pub(crate) data: Vec<u8>,
}

/// Whether `path` is `key`, or below it; and what follows then.
fn below<'a>(key: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.get(key.len()..)?;
    let same = path.get(..key.len())?.eq_ignore_ascii_case(key);
    (same && (rest.is_empty() || rest.starts_with('\\'))).then(|| rest.trim_start_matches('\\'))
}

/// Whether there is a key: it was said to be, or something below it was.
fn exists(registry: &Registry, key: &str) -> bool {
    registry.keys().any(|path| below(key, path).is_some())
}

/// The names of the keys right below one, in order.
fn subkeys(registry: &Registry, key: &str) -> Vec<String> {
    let names = registry.keys().filter_map(|path| below(key, path)).filter_map(|rest| rest.split('\\').next());
    let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The values of a key, in order.
fn values(registry: &Registry, key: &str) -> Vec<Value> {
    let keys = registry.iter().filter(|(path, _)| path.eq_ignore_ascii_case(key));
    let all = keys.flat_map(|(_, values)| values.iter());
    all.map(|(name, (kind, data))| Value { name: name.clone(), kind: *kind, data: data.clone() }).collect()
}

impl Core {
    /// The path of a key that is there, by its path in any letters.
    pub(crate) fn registry_key(&self, path: &str) -> Result<String, NtStatus> {
        let path = path.trim_end_matches('\\');
        if exists(&self.options.registry, path) { Ok(path.to_owned()) } else { Err(NtStatus::OBJECT_NAME_NOT_FOUND) }
    }

    /// The names of the keys right below one, in order.
    pub(crate) fn registry_subkeys(&self, key: &str) -> Vec<String> {
        subkeys(&self.options.registry, key)
    }

    /// The values of a key, in order.
    pub(crate) fn registry_values(&self, key: &str) -> Vec<Value> {
        values(&self.options.registry, key)
    }

    /// The value of a key with a name in any letters.
    pub(crate) fn registry_value(&self, key: &str, name: &str) -> Result<Value, NtStatus> {
        let mut values = self.registry_values(key).into_iter();
        values.find(|value| value.name.eq_ignore_ascii_case(name)).ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn registry() -> Registry {
        let values = BTreeMap::from([("Limit".to_owned(), (DWORD, vec![1, 0, 0, 0]))]);
        Registry::from([
            (r"\Registry\Machine\One\Parameters".to_owned(), values),
            (r"\Registry\Machine\One\Enum\X".to_owned(), BTreeMap::new()),
        ])
    }

    #[test]
    fn a_key_is_there_if_something_below_it_is() {
        let registry = registry();
        assert!(exists(&registry, r"\registry\machine\one") && exists(&registry, r"\Registry\Machine\One\Enum\X"));
        assert!(!exists(&registry, r"\Registry\Machine\On") && !exists(&registry, r"\Registry\Machine\One\Enum\X\Y"));
    }

    #[test]
    fn keys_have_subkeys_and_values() {
        let registry = registry();
        assert_eq!(subkeys(&registry, r"\Registry\MACHINE\One"), ["Enum", "Parameters"]);
        let [value] = values(&registry, r"\registry\machine\one\PARAMETERS").try_into().expect("one value");
        assert_eq!(value, Value { name: "Limit".to_owned(), kind: DWORD, data: vec![1, 0, 0, 0] });
    }
}
