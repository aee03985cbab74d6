use super::{arrows, sources};
use crate::command::root;
use crate::imports::sources::Sources;
use crate::imports::{blocks, order};

const NONE: [&str; 0] = [];

/// Eleven lines: `lib.rs` is the crate's root, `inner/` has a file of its own, and the head's prose continues.
const TREE: &str = "# Contributing

## Where things are

    src/                  the plugin; its prose
                          goes on in b.rs
      a.rs                what stands above
      inner/ c.rs         inner/: a folder. c.rs: a file
      d.rs
                          prose of d.rs on a line of its own
    tests/                without entries, so no block

## Other

      not.rs              outside the section
";

/// Returns the faults of a repository whose tree is [`TREE`], with all files of it. A file given replaces the one of the tree.
fn faults_of(files: &[(&str, &str)]) -> Vec<String> {
    let lib = ("src/lib.rs", "mod a; mod c; mod d; mod inner; pub use a::A;");
    let inner = [("src/inner.rs", "pub mod deep;"), ("src/inner/deep.rs", "pub struct Deep;")];
    let others = [("src/a.rs", "pub struct A;"), ("src/c.rs", "pub struct C;"), ("src/d.rs", "pub struct D;")];
    // Of two files with one path, the last counts.
    faults_of_tree(TREE, &[&[lib], &inner[..], &others, files].concat())
}

fn faults_of_tree(tree: &str, files: &[(&str, &str)]) -> Vec<String> {
    let sources = sources(&[&[("CONTRIBUTING.md", tree)], files].concat());
    let arrows = arrows(&sources).expect("the fixture can be read");
    order::faults(&sources, &arrows).expect("the tree can be read")
}

#[test]
fn an_import_of_a_lower_entry_is_no_fault() {
    let a = "use crate::inner::deep::Deep; use crate::c::C; use crate::d::D; pub struct A;";
    assert_eq!(faults_of(&[("src/a.rs", a), ("src/c.rs", "use crate::d::D; pub struct C;")]), NONE);
}

#[test]
fn an_import_of_a_higher_entry_is_a_fault_even_without_a_circle() {
    let deep = "use crate::A; pub struct Deep; fn run() { super::super::a::limit() }";
    assert_eq!(
        faults_of(&[("src/a.rs", "pub struct A; pub fn limit() {}"), ("src/inner/deep.rs", deep)]),
        ["src/inner/ imports src/a.rs, but in CONTRIBUTING.md, a.rs (line 7) stands above inner/ (line 8). \
          Move the imported items down, pass them in from above, or move an entry if the order is wrong:\
          \n  src/inner/deep.rs -> src/a.rs (A, limit)"]
    );
}

#[test]
fn an_import_of_an_entry_on_the_same_line_is_a_fault() {
    assert_eq!(
        faults_of(&[("src/inner.rs", "pub mod deep; use crate::c::C; pub struct Inner;")]),
        ["src/inner/ imports src/c.rs, but they share line 8 of CONTRIBUTING.md, so neither may import the other. \
          Move the imported items down, pass them in from above, or move an entry to a line of its own:\
          \n  src/inner.rs -> src/c.rs (C)"]
    );
}

#[test]
fn an_import_of_what_the_root_defines_is_a_fault() {
    let lib = "mod a; mod c; mod d; mod inner; pub struct Root;";
    assert_eq!(
        faults_of(&[("src/lib.rs", lib), ("src/d.rs", "use crate::Root; pub struct D;")]),
        [
            "src/d.rs imports src/lib.rs, but lib.rs only re-exports what others define: move the imported items to a file \
          with an entry:\n  src/d.rs -> src/lib.rs (Root)"
        ]
    );
}

#[test]
fn a_file_or_folder_without_an_entry_is_a_fault_but_tests_need_none() {
    let files = [("src/new.rs", ""), ("src/more/mod.rs", ""), ("src/tests.rs", ""), ("src/tests/one.rs", "")];
    let nested_tests = [("src/d/tests.rs", ""), ("src/d/tests/one.rs", "")];
    assert_eq!(
        faults_of(&[&files[..], &nested_tests].concat()),
        ["more/", "new.rs"].map(|name| format!(
            "CONTRIBUTING.md has no entry for src/{name}: add one under `src/`, below all that imports it and above all that \
             it imports"
        ))
    );
}

#[test]
fn an_entry_without_a_file_is_a_fault() {
    let gone = |name: &str, line: usize| {
        format!("CONTRIBUTING.md:{line} names src/{name}, which does not exist: remove or rename the entry")
    };
    assert_eq!(faults_of_tree(&TREE.replace("d.rs\n", "d.rs e/\n"), &[]).last(), Some(&gone("e/", 9)));
    let all = faults_of_tree(TREE, &[("src/lib.rs", "")]);
    assert_eq!(all, [gone("a.rs", 7), gone("inner/", 8), gone("c.rs", 8), gone("d.rs", 9)]);
}

#[test]
fn the_order_of_typescript_is_checked_too() {
    let tree = "## Where things are\n\n    guest-js/core/\n      client/\n      types/\n      ipc.ts\n";
    let files = [
        ("guest-js/core/index.ts", "export * from \"./client/client.js\";"),
        ("guest-js/core/client/client.ts", "import type { T } from \"../types/t.js\";\nexport const client = 1;"),
        ("guest-js/core/types/t.ts", "import { ipc } from \"../ipc.js\";\nexport type T = 1;"),
        ("guest-js/core/ipc.ts", "import type { T } from \"./types/t.js\";\nexport const ipc = 1;"),
        ("guest-js/core/tests/t.test.ts", ""),
    ];
    assert_eq!(
        faults_of_tree(tree, &files),
        [
            "guest-js/core/ipc.ts imports guest-js/core/types/, but in CONTRIBUTING.md, types/ (line 5) stands above ipc.ts \
          (line 6). Move the imported items down, pass them in from above, or move an entry if the order is wrong:\
          \n  guest-js/core/ipc.ts -> guest-js/core/types/t.ts (T)"
        ]
    );
}

#[test]
fn a_tree_that_cannot_be_read_is_an_error_that_says_what_to_do() {
    let error = |text: &str| blocks::read(text).map(|_| ()).expect_err("the tree is wrong").to_string();
    assert_eq!(
        error("# Contributing"),
        "CONTRIBUTING.md has no tree under \"## Where things are\": the order of the imports is read from there"
    );
    assert_eq!(
        error("## Where things are\n    src/\n      prose alone"),
        "CONTRIBUTING.md:3 is indented like an entry, but does not begin with a name that ends in `/`, `.rs` or `.ts`: \
         name the file or folder, or indent the line further if it continues the one above"
    );
    assert_eq!(
        error("## Where things are\n      a.rs"),
        "CONTRIBUTING.md:2 has no folder above it: add the block's head"
    );
}

#[test]
fn the_tree_has_a_block_for_the_engine_the_plugin_and_the_client() {
    let sources = Sources::read(&root()).expect("the repository can be read");
    let blocks = blocks::read(sources.text(blocks::FILE).expect("it exists")).expect("the tree can be read");
    let folders: Vec<_> = blocks.iter().map(|block| block.folder.as_str()).collect();
    assert_eq!(folders, ["crates/engine/src/", "src/", "crates/specta/src/", "guest-js/core/", "guest-js/mocks/"]);
}
