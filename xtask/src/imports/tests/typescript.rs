use super::{arrows_of, faults_of};

const NONE: [&str; 0] = [];

#[test]
fn an_import_of_a_type_counts() {
    let faults = faults_of(&[
        ("guest-js/task.ts", "import type { Session } from \"./session.js\";\nexport interface Task {}"),
        ("guest-js/session.ts", "import { other, type Task as T } from './task';\nexport class Session {}"),
    ]);
    assert_eq!(
        faults,
        ["circle of 2 files:\
          \n  guest-js/session.ts -> guest-js/task.ts (Task, other)\n  guest-js/task.ts -> guest-js/session.ts (Session)"]
    );
}

#[test]
fn an_import_through_an_index_leads_to_the_file_that_defines_the_name() {
    let faults = faults_of(&[
        (
            "guest-js/core/index.ts",
            "export * from \"./errors.js\";\nexport { Made as Task, type Other } from \"./task.js\";",
        ),
        ("guest-js/core/task.ts", "import { E } from \".\";\nexport class Made {}\nexport type Other = E;"),
        (
            "guest-js/core/errors.ts",
            "import { type Task } from \"./index.js\";\nexport class E {}\nexport const f = 1;",
        ),
    ]);
    assert_eq!(
        faults,
        ["circle of 2 files:\
          \n  guest-js/core/errors.ts -> guest-js/core/task.ts (Made)\n  guest-js/core/task.ts -> guest-js/core/errors.ts (E)"]
    );
}

#[test]
fn folders_can_form_a_circle_when_no_files_do() {
    let faults = faults_of(&[
        ("guest-js/core/index.ts", "export { client } from \"./client.js\";\nexport { wire } from \"./wire.js\";"),
        ("guest-js/core/client.ts", "import { read } from \"../store/read.js\";\nexport const client = read;"),
        ("guest-js/core/wire.ts", "export const wire = 1;"),
        ("guest-js/store/read.ts", "export const read = 1;"),
        ("guest-js/store/write.ts", "import { wire } from \"../core/index.js\";"),
    ]);
    assert_eq!(
        faults,
        ["circle of 2 folders in guest-js/:\
          \n  guest-js/core/ -> guest-js/store/\n      guest-js/core/client.ts -> guest-js/store/read.ts (read)\
          \n  guest-js/store/ -> guest-js/core/\n      guest-js/store/write.ts -> guest-js/core/wire.ts (wire)"]
    );
}

#[test]
fn a_circle_of_three_files_is_found() {
    let faults = faults_of(&[
        ("examples/demo/src/a.ts", "import b from \"./b\";\nexport default 1;"),
        ("examples/demo/src/b.ts", "import * as c from \"./c\";\nexport default c;"),
        ("examples/demo/src/c.tsx", "import \"./a\";"),
    ]);
    assert_eq!(
        faults,
        ["circle of 3 files:\
          \n  examples/demo/src/a.ts -> examples/demo/src/b.ts (default)\
          \n  examples/demo/src/b.ts -> examples/demo/src/c.tsx (*)\
          \n  examples/demo/src/c.tsx -> examples/demo/src/a.ts (for its effects)"]
    );
}

#[test]
fn every_form_of_import_is_understood() {
    for (code, names) in [
        ("import{B}from'./b.js'", "B"),
        ("import B, { C } from \"./b\";", "C, default"),
        ("import {\n  B, // of the page\n  type C,\n} from \"./b\";", "B, C"),
        ("import type B from \"./b\";", "default"),
        ("import type * as b from \"./b\";", "*"),
        ("export { B as D } from \"./b\"; export const own = 1;", "B"),
        ("export * as b from \"./b\"; export const own = 1;", "*"),
        ("const { B } = await import(\"./b\");", "*"),
        ("let b: import(\"./b\").B;", "*"),
        ("const text = `${`${(await import(\"./b\")).B}`}`;", "*"),
        ("import \"./b.js\";", "for its effects"),
        ("const half = all / 2; import { B } from \"./b\"; // /", "B"),
        ("const quote = /[/'\"`]/; import { B } from \"./b\";", "B"),
    ] {
        let arrows = arrows_of(&[("guest-js/a.ts", code), ("guest-js/b.ts", "export const B = 1, C = 2;")]);
        assert_eq!(arrows, [format!("guest-js/a.ts -> guest-js/b.ts ({names})")], "{code}");
    }
}

#[test]
fn text_that_only_looks_like_an_import_is_no_arrow() {
    for code in [
        "// import { B } from \"./b\";",
        "/** import { B } from \"./b\"; */",
        "const text = 'import { B } from \"./b\"';",
        "const text = \"it's \\\" import './b'\";",
        "const text = `import { B } from \"./b\"; ${1} export * from \"./b\";`;",
        "loader.import(\"./b\"); const of = { import: \"./b\", export: \"./b\" };",
        "const url = import.meta.url; const b = \"./b\";",
        "import { B } from \"b\"; import { C } from \"@tauri-apps/api/b\";",
        "export const from = \"./b\"; export type { B }; type B = 1;",
        "import css from \"./b.css\";",
    ] {
        let arrows = arrows_of(&[("guest-js/a.ts", code), ("guest-js/b.ts", "export const B = 1;")]);
        assert_eq!(arrows, NONE, "{code}");
    }
}

#[test]
fn tests_and_declarations_are_left_out() {
    let b = ("guest-js/b.ts", "import \"./tests/a\"; import \"./a.test\"; import \"./a.d\"; export const B = 1;");
    for path in ["guest-js/tests/a.ts", "guest-js/a.test.ts", "guest-js/a.d.ts", "type-tests/a.ts"] {
        assert_eq!(
            arrows_of(&[(path, "import \"../b\"; import \"./b\"; import \"../guest-js/b\";"), b]),
            NONE,
            "{path}"
        );
    }
}
