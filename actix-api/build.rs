//! Lets the server compile before the web app is built: the folder that it embeds must exist.

use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let dist = Path::new("../yew-ui/dist");
    std::fs::create_dir_all(dist)?;
    println!("cargo:rerun-if-changed={}", dist.display());
    Ok(())
}
