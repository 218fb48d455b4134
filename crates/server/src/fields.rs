//! The names that a type reads from a table, told by its own `Deserialize`, so that no list of them has to be kept.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

/// The keys of the struct `T`; empty where `T` is no struct.
pub fn names<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    match T::deserialize(Listener) {
        Err(Heard(names)) => names,
        Ok(_) => &[],
    }
}

/// Gives no value; hears the names that are asked for.
struct Listener;

#[derive(Debug)]
struct Heard(&'static [&'static str]);

impl fmt::Display for Heard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("nothing is read")
    }
}

impl std::error::Error for Heard {}

impl serde::de::Error for Heard {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }
}

impl<'de> Deserializer<'de> for Listener {
    type Error = Heard;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Heard> {
        Err(Heard(&[]))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Heard> {
        Err(Heard(fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use grantor_core::client::ClientMetadata;
    use grantor_core::registration::members::MEMBERS;

    /// A member that is added to the metadata stands in the list, with the decision whether an app may set it for itself.
    #[test]
    fn every_member_of_a_client_is_a_decision_for_registration() {
        let decided: Vec<&str> = MEMBERS.iter().map(|(name, _)| *name).collect();
        let known: BTreeSet<&str> = super::names::<ClientMetadata>().iter().copied().collect();
        assert_eq!(known, decided.iter().copied().collect());
        assert_eq!(known.len(), decided.len(), "none stands there twice");
    }

    #[test]
    fn a_type_tells_its_names() {
        assert_eq!(super::names::<crate::config::Tls>(), ["certificate", "key"]);
        assert!(super::names::<String>().is_empty());
    }
}
