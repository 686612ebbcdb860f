//! Random bytes.

/// Bytes nobody can guess. Zeros in a browser without a source of randomness, which no supported browser is.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    match gloo::utils::window().crypto() {
        Ok(crypto) => {
            if crypto.get_random_values_with_u8_array(&mut bytes).is_err() {
                tracing::warn!("the browser gives no random bytes");
            }
        }
        Err(_) => tracing::warn!("the browser has no source of random bytes"),
    }
    bytes
}
