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
        ("const b = await import(`./b`);", "*"),
        ("import b = require(\"./b\");", "*"),
        ("import type b = require('./b'); export = b;", "*"),
        ("new Worker(new URL(\"./b.ts\", import.meta.url), { type: \"module\" });", "*"),
        ("const url = new URL(`b.ts`, import.meta.url).href;", "*"),
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
        "import css from \"./b.css\"; import \"./b.css?inline\"; import logo from \"./b.svg\"; import page from \"./b.html\";",
        "const page = new URL(\"./b.html\", import.meta.url); const b = new URL(\"./b.ts\", base);",
        "const text = `import(\"./b\")`; const { require: a } = { require: 1 };",
    ] {
        let arrows = arrows_of(&[("guest-js/a.ts", code), ("guest-js/b.ts", "export const B = 1;")]);
        assert_eq!(arrows, NONE, "{code}");
    }
}

#[test]
fn tests_and_declarations_are_left_out() {
    for path in ["guest-js/tests/a.ts", "guest-js/a.test.ts", "guest-js/a.d.ts", "type-tests/a.ts"] {
        let relative = path.strip_prefix("guest-js/").map_or_else(|| format!("../{path}"), |path| format!("./{path}"));
        let b = format!("import \"{relative}\"; export const B = 1;");
        let a = "import \"../b\"; import \"./b\"; import \"../guest-js/b\";";
        assert_eq!(arrows_of(&[(path, a), ("guest-js/b.ts", &b)]), NONE, "{path}");
    }
}

#[test]
fn an_import_that_leads_to_no_file_is_an_error() {
    for import in ["./gone", "../gone.js", "./b.svelte", "./b/gone", ".."] {
        for code in
            [format!("import \"{import}\";"), format!("export * from '{import}';"), format!("import(`{import}`)")]
        {
            let sources = super::sources(&[("guest-js/core/a.ts", &code), ("guest-js/core/b.ts", "")]);
            let error = super::arrows(&sources).map(|_| ()).expect_err("there is no such file");
            assert_eq!(
                error.to_string(),
                format!(
                    "guest-js/core/a.ts imports \"{import}\", but there is no such file: correct the path, so that the import \
                     can be followed"
                )
            );
        }
    }
}

#[test]
fn other_scripts_than_typescript_are_read() {
    for (path, code) in [
        ("guest-js/a.js", "import { B } from \"./b.js\";"),
        ("guest-js/a.mts", "import { B } from \"./b.js\";"),
        (
            "guest-js/a.vue",
            "<template>import \"./gone\"</template>\n<script setup lang=\"ts\">\nimport { B } from \"./b\";\n</script>",
        ),
        ("guest-js/a.svelte", "<script module>let a = 1</script><script>import { B } from \"./b\"</script><p>it's</p>"),
    ] {
        let c = ("guest-js/c.ts", "import \"./b.js\";");
        let arrows = arrows_of(&[(path, code), ("guest-js/b.ts", "export const B = 1;"), c]);
        let wanted =
            [format!("{path} -> guest-js/b.ts (B)"), "guest-js/c.ts -> guest-js/b.ts (for its effects)".to_owned()];
        assert_eq!(arrows, wanted);
    }
    let arrows = arrows_of(&[("guest-js/a.ts", "import A from \"./a.vue\";"), ("guest-js/a.vue", "<script></script>")]);
    assert_eq!(arrows, ["guest-js/a.ts -> guest-js/a.vue (default)"]);
}

#[test]
fn the_package_may_be_imported_by_its_own_name() {
    let index = ("guest-js/core/index.ts", "export { Task } from \"./task.js\";");
    let task = ("guest-js/core/task.ts", "import { own } from \"./own.js\"; export class Task {}");
    let own = ("guest-js/core/own.ts", "import { Task } from \"tauri-plugin-tasks-api\"; export const own = 1;");
    assert_eq!(
        faults_of(&[index, task, own]),
        ["circle of 2 files:\
          \n  guest-js/core/own.ts -> guest-js/core/task.ts (Task)\n  guest-js/core/task.ts -> guest-js/core/own.ts (own)"]
    );
    let page = ("examples/demo/src/a.ts", "import { Task } from \"tauri-plugin-tasks-api\";");
    assert_eq!(arrows_of(&[index, ("guest-js/core/task.ts", "export class Task {}"), page]), NONE);
}

#[test]
fn every_name_of_a_declaration_is_exported() {
    for code in [
        "export const a = f<X, Y>(1, 2), B = { x: 1 }",
        "export let a: Map<string, number>, B: string;",
        "export const { a, B } = x;",
        "export const { a: B, ...rest } = x",
        "export const { a: { B = [1, 2] }, c = 1 } = x;",
        "export const [a, [B]] = x;",
        "export const a = 1, [, B] = x;",
        "export declare const enum B { X }",
        "export abstract class B {}",
        "export async function* B() {}",
    ] {
        let index = "export * from \"./b.js\"; export * from \"./c.js\";";
        let c = "export const { B: c, d = B } = x, e = [B, 1], f = g(B, 1); const B = 1";
        let arrows = arrows_of(&[
            ("guest-js/index.ts", index),
            ("guest-js/a.ts", "import { B } from \"./index.js\";"),
            ("guest-js/b.ts", code),
            ("guest-js/c.ts", c),
        ]);
        assert_eq!(arrows, ["guest-js/a.ts -> guest-js/b.ts (B)"], "{code}");
    }
}
