//! Writes the JSON Schemas and the AsyncAPI description from the types.
//!
//! `cargo run -p rovuma-schemas --example generate-schemas`

use std::{error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for file in rovuma_schemas::schema::files() {
        let path = folder.join(&file.path);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(&path, file.text)?;
        println!("wrote {}", path.display());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("asyncapi.yaml");
    fs::write(&path, rovuma_schemas::schema::asyncapi())?;
    println!("wrote {}", path.display());
    Ok(())
}
