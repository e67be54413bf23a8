"""The scratch projects of sandbox.py: what each depends on, and a program that calls it. Small ones first."""
import hashlib
import json


def trial(name, crate, dependencies, main, **more):
    return dict(name=name, crate=crate, dependencies=dependencies, main="fn main() {\n" + main + "\n}\n" if "fn main" not in main and
                "#[py" not in main else main, **more)


ZLIB = """use std::io::Write;
fn main() {
    let mut to = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    to.write_all(b"text").unwrap();
    assert!(!to.finish().unwrap().is_empty());
}
"""
SQL = "SELECT 1 AS one"
SQL_HASH = hashlib.sha256(SQL.encode()).hexdigest()
SQL_ANSWER = json.dumps({"db_name": "SQLite", "query": SQL, "hash": SQL_HASH, "describe": {
    "columns": [{"name": "one", "ordinal": 0, "type_info": "Integer"}], "parameters": {"Right": 0}, "nullable": [False]}})
ALLOCATOR = "#[global_allocator]\nstatic A: {0} = {0};\nfn main() {{\n    assert_eq!(vec![1; 1000].len(), 1000);\n}}\n"

TRIALS = [
    trial("blake3", "blake3", 'blake3 = "1"', 'assert_ne!(blake3::hash(b"x").as_bytes()[0], 0);'),
    trial("libz-sys", "libz-sys", 'libz-sys = { version = "1", features = ["static"] }',
          "assert!(!unsafe { libz_sys::zlibVersion() }.is_null());"),
    trial("libz-sys-system", "libz-sys", 'libz-sys = "1"', "assert!(!unsafe { libz_sys::zlibVersion() }.is_null());", needs=["zlib.pc"]),
    trial("bzip2-sys", "bzip2-sys", 'bzip2-sys = "0.1"', "assert!(unsafe { bzip2_sys::BZ2_bzCompressEnd(std::ptr::null_mut()) } != 0);"),
    trial("liblzma", "liblzma-sys", 'liblzma-sys = { version = "0.4", features = ["static"] }',
          "assert!(unsafe { liblzma_sys::lzma_version_number() } > 0);"),
    trial("xz2", "lzma-sys", 'lzma-sys = { version = "0.1", features = ["static"] }',
          "assert!(unsafe { lzma_sys::lzma_easy_encoder_memusage(1) } > 0);"),
    trial("zstd", "zstd-sys", 'zstd = "0.13"', 'assert!(!zstd::encode_all(&b"x"[..], 1).unwrap().is_empty());'),
    trial("zstd-bindgen", "zstd-sys", 'zstd-sys = { version = "2", features = ["bindgen"] }',
          "assert!(unsafe { zstd_sys::ZSTD_versionNumber() } > 0);", needs=["libclang"]),
    trial("mimalloc", "libmimalloc-sys", 'mimalloc = "0.1"', ALLOCATOR.format("mimalloc::MiMalloc")),
    trial("onig", "onig_sys", 'onig = "6"', 'assert!(onig::Regex::new("a+").unwrap().find("caa").is_some());'),
    trial("onig-bindgen", "onig_sys", 'onig = { version = "6", features = ["generate"] }',
          'assert!(onig::Regex::new("a+").unwrap().find("caa").is_some());', needs=["libclang"]),
    trial("tree-sitter", "tree-sitter", 'tree-sitter = "0.25"\ntree-sitter-json = "0.24"',
          'let mut p = tree_sitter::Parser::new();\np.set_language(&tree_sitter_json::LANGUAGE.into()).unwrap();\nassert!(p.parse("[1]", None).is_some());'),
    trial("cxx", "cxx", 'cxx = "1"',
          '#[cxx::bridge]\nmod ffi {\n    unsafe extern "C++" {\n        include!("trial/src/twice.h");\n        fn twice(n: i32) -> i32;\n    }\n}\nfn main() {\n    assert_eq!(ffi::twice(2), 4);\n}\n',
          build='fn main() { cxx_build::bridge("src/main.rs").file("src/twice.cc").std("c++17").compile("twice"); }\n',
          build_dependencies='cxx-build = "1"',
          files={"src/twice.h": "#pragma once\n#include \"rust/cxx.h\"\nint twice(int n);\n", "src/twice.cc": '#include "trial/src/twice.h"\nint twice(int n) { return 2 * n; }\n'}),
    trial("ring", "ring", 'ring = "0.17"', 'assert_eq!(ring::digest::digest(&ring::digest::SHA256, b"x").as_ref().len(), 32);'),
    trial("secp256k1", "secp256k1-sys", 'secp256k1 = "0.30"', "assert_eq!(secp256k1::constants::SECRET_KEY_SIZE, 32);\nlet _ = secp256k1::Secp256k1::new();"),
    trial("mlua", "lua-src", 'mlua = { version = "0.11", features = ["lua54", "vendored"] }',
          'let n: i64 = mlua::Lua::new().load("return 1 + 1").eval().unwrap();\nassert_eq!(n, 2);'),
    trial("luajit", "luajit-src", 'mlua = { version = "0.11", features = ["luajit", "vendored"] }',
          'let n: i64 = mlua::Lua::new().load("return 1 + 1").eval().unwrap();\nassert_eq!(n, 2);', needs=["make"]),
    trial("openssl-system", "openssl-sys", 'openssl = "0.10"', "assert!(!openssl::version::version().is_empty());", needs=["openssl.pc"]),
    trial("curl", "curl-sys", 'curl = { version = "0.4", default-features = false, features = ["static-curl"] }',
          "assert!(!curl::Version::num().is_empty());"),
    trial("rustversion", "rustversion", 'rustversion = "1"\nnum-traits = "0.2"\nindexmap = "1"\nserde_json = "1"\nlibc = "0.2"\nproc-macro2 = "1"',
          '#[rustversion::since(1.50)]\nfn since() {}\nfn main() {\n    since();\n    assert!(num_traits::Zero::is_zero(&0_i32));\n}\n'),
    trial("shadow-rs", "shadow-rs", 'shadow-rs = "1"',
          "shadow_rs::shadow!(build);\nfn main() {\n    assert_eq!(build::SHORT_COMMIT.len(), 8);\n}\n",
          build='fn main() { shadow_rs::ShadowBuilder::builder().build().unwrap(); }\n', build_dependencies='shadow-rs = "1"'),
    trial("built", "built", "", 'mod built {\n    include!(concat!(env!("OUT_DIR"), "/built.rs"));\n}\nfn main() {\n    assert!(built::GIT_COMMIT_HASH.is_some());\n}\n',
          build='fn main() { built::write_built_file().unwrap(); }\n', build_dependencies='built = { version = "0.8", features = ["git2", "chrono"] }'),
    trial("vergen-gitcl", "vergen-gitcl", "", 'assert_eq!(env!("VERGEN_GIT_SHA").len(), 40);',
          build='use vergen_gitcl::*;\nfn main() {\n    let git = GitclBuilder::all_git().unwrap();\n    Emitter::default().fail_on_error().add_instructions(&git).unwrap().emit().unwrap();\n}\n',
          build_dependencies='vergen-gitcl = "1"'),
    trial("pyo3", "pyo3-ffi", 'pyo3 = { version = "0.26", features = ["extension-module"] }',
          "use pyo3::prelude::*;\n#[pyfunction]\nfn twice(n: i64) -> i64 {\n    2 * n\n}\n#[pymodule]\nfn trial(m: &Bound<'_, PyModule>) -> PyResult<()> {\n    m.add_function(wrap_pyfunction!(twice, m)?)\n}\n",
          lib='[lib]\ncrate-type = ["cdylib"]\n', needs=["python3"]),
    trial("rusqlite", "libsqlite3-sys", 'rusqlite = { version = "0.37", features = ["bundled"] }', "rusqlite::Connection::open_in_memory().unwrap();"),
    trial("sqlite-bindgen", "libsqlite3-sys", 'rusqlite = { version = "0.37", features = ["bundled", "buildtime_bindgen"] }',
          "rusqlite::Connection::open_in_memory().unwrap();", needs=["libclang"]),
    trial("zlib-ng", "libz-ng-sys", 'flate2 = { version = "1", default-features = false, features = ["zlib-ng"] }', ZLIB, needs=["cmake"]),
    trial("jemalloc", "tikv-jemalloc-sys", 'tikv-jemallocator = "0.6"', ALLOCATOR.format("tikv_jemallocator::Jemalloc"), needs=["make"]),
    trial("sodium", "libsodium-sys", 'libsodium-sys = "0.2"', "assert!(unsafe { libsodium_sys::sodium_init() } >= 0);", needs=["make"]),
    trial("git2", "libgit2-sys", 'git2 = { version = "0.20", features = ["vendored-libgit2"] }', "assert!(git2::Version::get().vendored());"),
    trial("prost", "prost-build", 'prost = "0.14"', 'pub mod one {\n    include!(concat!(env!("OUT_DIR"), "/one.rs"));\n}\nfn main() {\n    assert_eq!(one::Item { id: 1 }.id, 1);\n}\n',
          build='fn main() {\n    std::env::set_var("PROTOC", protoc_bin_vendored::protoc_bin_path().unwrap());\n    prost_build::compile_protos(&["one.proto"], &["."]).unwrap();\n}\n',
          build_dependencies='prost-build = "0.14"\nprotoc-bin-vendored = "3"', files={"one.proto": 'syntax = "proto3";\npackage one;\nmessage Item { int32 id = 1; }\n'}),
    trial("aws-lc-rs", "aws-lc-sys", 'aws-lc-rs = "1"', 'assert_eq!(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"x").as_ref().len(), 32);'),
    trial("sqlx", "sqlx", 'sqlx = { version = "0.8", default-features = false, features = ["macros", "sqlite", "runtime-tokio"] }\ntokio = { version = "1", features = ["rt"] }',
          f'fn main() {{\n    let _ = sqlx::query!("{SQL}");\n}}\n', files={f".sqlx/query-{SQL_HASH}.json": SQL_ANSWER}, env={"SQLX_OFFLINE": "true"}),
    trial("ort", "ort-sys", 'ort = "=2.0.0-rc.10"', "assert!(!ort::info().is_empty());", expected="not built"),
    trial("rdkafka", "rdkafka-sys", 'rdkafka-sys = { version = "4", features = ["cmake-build"] }',
          "assert!(unsafe { rdkafka_sys::rd_kafka_version() } > 0);", needs=["cmake", "libcurl.pc"]),
    trial("aws-lc-cmake", "aws-lc-sys", 'aws-lc-sys = { version = "0.40", features = ["bindgen"] }', "assert!(unsafe { aws_lc_sys::FIPS_mode() } >= 0);",
          needs=["cmake", "libclang"], env={"AWS_LC_SYS_CMAKE_BUILDER": "1"}),
    trial("openssl-vendored", "openssl-src", 'openssl = { version = "0.10", features = ["vendored"] }',
          "assert!(!openssl::version::version().is_empty());", needs=["perl", "make"]),
    trial("wgpu", "wgpu", 'wgpu = { version = "27", default-features = false, features = ["std", "vulkan", "gles", "wgsl"] }',
          "let _ = wgpu::Instance::default();"),
    trial("wasmtime", "wasmtime", 'wasmtime = { version = "43", default-features = false, features = ["runtime", "cranelift", "std"] }',
          "let _ = wasmtime::Engine::default();"),
    trial("tauri", "tauri", 'tauri = "2"', "", needs=["webkit2gtk-4.1.pc"]),
]
