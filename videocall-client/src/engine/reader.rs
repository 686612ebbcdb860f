//! Reading a `ReadableStream`.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

use crate::error::Exception;
use crate::js;

/// The one reader of a stream.
#[derive(Clone)]
pub(super) struct Reader(ReadableStreamDefaultReader);

impl Reader {
    pub(super) fn new(stream: &ReadableStream) -> Result<Self, Exception> {
        Ok(Self(ReadableStreamDefaultReader::new(stream)?))
    }

    /// The next chunk; `None` at the end.
    pub(super) async fn next<T: JsCast>(&self) -> Result<Option<T>, Exception> {
        let result = JsFuture::from(self.0.read()).await?;
        let done = js::get(&result, "done").is_truthy();
        Ok((!done).then(|| js::get(&result, "value").unchecked_into()))
    }

    /// Ends the stream; the source stops.
    pub(super) fn cancel(&self) {
        js::ignore(self.0.cancel());
    }
}
