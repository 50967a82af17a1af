//! Digests as text.

/// The hexadecimal digits of bytes, two for each.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
