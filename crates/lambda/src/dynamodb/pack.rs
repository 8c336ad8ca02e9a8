//! Bytes as an item holds them: packed where that is cheaper, and refused where an item can't hold
//! them.

use bytes::Bytes;
use lz4_flex::block;

/// Most bytes of an item.
const ITEM: usize = 400 * 1024;

/// Writing an item costs one unit for each of these begun.
const UNIT: usize = 1024;

/// Above all bytes of an item beside its payload: names, key, times, holder.
const REST: usize = 256;

/// Most bytes of a value before it is packed: the most that reading one can make of an item.
const VALUE: usize = 4 * 1024 * 1024;

/// A payload as it is written.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) payload: Vec<u8>,
    /// Bytes before packing, if it is packed.
    pub(super) packed_from: Option<usize>,
}

/// Nothing for a value that is too large for an item.
pub(super) fn pack(value: &[u8]) -> Option<Packed> {
    let plain = value.len() + REST;
    if plain > UNIT && value.len() <= VALUE {
        let payload = block::compress(value);
        if (payload.len() + REST).div_ceil(UNIT) < plain.div_ceil(UNIT)
            && payload.len() + REST <= ITEM
        {
            return Some(Packed {
                payload,
                packed_from: Some(value.len()),
            });
        }
    }
    (plain <= ITEM).then(|| Packed {
        payload: value.to_vec(),
        packed_from: None,
    })
}

/// Nothing for a payload that [`pack`] did not write.
pub(super) fn unpack(payload: Vec<u8>, packed_from: Option<usize>) -> Option<Bytes> {
    let Some(size) = packed_from else {
        return Some(Bytes::from(payload));
    };
    if size > VALUE {
        return None;
    }
    // never writes more than it was told to expect
    block::decompress(&payload, size)
        .ok()
        .filter(|value| value.len() == size)
        .map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(bytes: usize) -> Vec<u8> {
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    fn check(value: &[u8], packs: bool) {
        let packed = pack(value).unwrap();
        assert_eq!(packed.packed_from.is_some(), packs, "{} bytes", value.len());
        assert!(packed.payload.len() + REST <= ITEM);
        assert_eq!(unpack(packed.payload, packed.packed_from).unwrap(), value);
    }

    #[test]
    fn a_value_is_packed_where_that_saves_a_unit() {
        check(b"", false);
        check(&[b'a'; UNIT - REST], false);
        check(&[b'a'; UNIT - REST + 1], true);
        check(&noise(300 * 1024), false);
        check(&[b'a'; VALUE], true);
    }

    #[test]
    fn what_an_item_cant_hold_is_refused() {
        assert!(pack(&noise(ITEM)).is_none());
        assert!(pack(&[b'a'; VALUE + 1]).is_none());
    }

    #[test]
    fn a_payload_that_lies_about_its_size_is_refused() {
        let packed = pack(&[b'a'; 100_000]).unwrap();
        for size in [0, 99_999, 100_001, VALUE + 1, usize::MAX] {
            assert!(
                unpack(packed.payload.clone(), Some(size)).is_none(),
                "{size}"
            );
        }
        assert!(unpack(b"not packed".to_vec(), Some(100)).is_none());
    }
}
