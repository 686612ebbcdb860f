//! Generates the protobuf types from `../proto`.

fn main() {
    println!("cargo:rerun-if-changed=../proto");
    protobuf_codegen::Codegen::new()
        .pure()
        .include("../proto")
        .inputs([
            "../proto/bus.proto",
            "../proto/control.proto",
            "../proto/media_packet.proto",
            "../proto/meeting_packet.proto",
            "../proto/packet_wrapper.proto",
            "../proto/routing.proto",
        ])
        .customize(
            protobuf_codegen::Customize::default()
                .tokio_bytes(true)
                .lite_runtime(true),
        )
        .cargo_out_dir("proto")
        .run_from_script();
}
