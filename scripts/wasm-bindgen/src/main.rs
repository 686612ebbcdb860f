//! `wasm-bindgen-web <module.wasm> <out dir> <name>` writes `<name>.js` and `<name>_bg.wasm` as ES modules.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, out_dir, name] = arguments.as_slice() else {
        eprintln!("usage: wasm-bindgen-web <module.wasm> <out dir> <name>");
        return ExitCode::FAILURE;
    };
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    let written = bindgen
        .input_path(module)
        .typescript(false)
        .out_name(name)
        .web(true)
        .and_then(|bindgen| bindgen.generate(out_dir));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wasm-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
