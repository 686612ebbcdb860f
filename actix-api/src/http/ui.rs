//! The web app: inside of this binary, or in a folder.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

/// Where its files come from.
pub(crate) enum Ui {
    /// This binary. A debug build reads the folder that a release build embeds.
    Embedded,
    /// A folder.
    Folder(PathBuf),
}

#[derive(RustEmbed)]
#[folder = "../yew-ui/dist"]
struct Dist;

const PAGE: &str = "index.html";
const NO_PAGE: &str = "<!doctype html><meta charset=utf-8><title>No web app</title><p>This server has no web app inside. \
    Build it with <code>make run</code>, or name its folder in <code>UI_DIR</code>.";
/// Best first. The files are compressed when the web app is built.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

impl Ui {
    async fn read(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        match self {
            Self::Embedded => Dist::get(name).map(|file| file.data),
            Self::Folder(folder) => {
                // Nothing outside of the folder.
                let inside = Path::new(name)
                    .components()
                    .all(|part| matches!(part, Component::Normal(_)));
                let path = inside.then(|| folder.join(name))?;
                tokio::fs::read(path).await.ok().map(Cow::Owned)
            }
        }
    }
}

/// Any path that no other route has: a file, or the page where the web app finds its way by the path itself.
pub(super) async fn serve(request: HttpRequest, ui: Data<Ui>) -> HttpResponse {
    let path = request.path().trim_start_matches('/');
    let is_page = path.is_empty() || path == PAGE || path.starts_with("meeting/");
    let name = if is_page { PAGE } else { path };
    let Some((content, encoding)) =
        find(&ui, name, request.headers().get(header::ACCEPT_ENCODING)).await
    else {
        return if is_page {
            HttpResponse::ServiceUnavailable()
                .content_type("text/html; charset=utf-8")
                .body(NO_PAGE)
        } else {
            HttpResponse::NotFound().body("not found")
        };
    };
    // A name in assets/ has the hash of its content.
    let caching = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = HttpResponse::Ok();
    response
        .content_type(mime_guess::from_path(name).first_or_octet_stream())
        .insert_header((header::CACHE_CONTROL, caching))
        .insert_header((header::VARY, "Accept-Encoding"));
    if let Some(encoding) = encoding {
        response.insert_header((header::CONTENT_ENCODING, encoding));
    }
    response.body(content.into_owned())
}

async fn find(
    ui: &Ui,
    name: &str,
    accepted: Option<&HeaderValue>,
) -> Option<(Cow<'static, [u8]>, Option<&'static str>)> {
    let accepted = accepted
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    for (encoding, extension) in ENCODINGS {
        if accepts(accepted, encoding)
            && let Some(content) = ui.read(&format!("{name}{extension}")).await
        {
            return Some((content, Some(encoding)));
        }
    }
    Some((ui.read(name).await?, None))
}

fn accepts(accepted: &str, encoding: &str) -> bool {
    accepted.split(',').any(|choice| {
        let (name, quality) = choice.split_once(';').unwrap_or((choice, ""));
        name.trim().eq_ignore_ascii_case(encoding) && !matches!(quality.trim(), "q=0" | "q=0.0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_used_only_if_it_is_accepted() {
        assert!(accepts("gzip, deflate, br, zstd", "br"));
        assert!(accepts("br;q=0.5", "br"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("broccoli", "br"));
        assert!(!accepts("", "gzip"));
    }

    #[tokio::test]
    async fn a_folder_shows_nothing_outside_of_itself() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("dist");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("a.js"), "inside").unwrap();
        std::fs::write(outer.path().join("secret"), "outside").unwrap();
        let secret = outer.path().join("secret");
        let ui = Ui::Folder(folder);
        assert_eq!(ui.read("a.js").await.as_deref(), Some(&b"inside"[..]));
        assert_eq!(ui.read("../secret").await, None);
        assert_eq!(ui.read("./../secret").await, None);
        assert_eq!(ui.read(secret.to_str().unwrap()).await, None);
    }
}
