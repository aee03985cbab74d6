//! Walks the code of a module, and adds an arrow for each path that leads to another file.

use anyhow::{Result, ensure};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Pat, PatIdent, Stmt, Type, UseTree, Visibility};

use super::cfg::{is_for_tests, item_attributes};
use super::methods::{Methods, TypeId, self_type, type_at};
use super::modules::{ModuleId, Spaces, Tree};
use super::read::named;
use super::receivers;
use super::resolve::Found;
use super::scopes::{Bound, Scopes};
use super::tokens::{self, Follows, Piece};
use super::uses::{Import, Path, imports, name_of};
use crate::imports::arrows::Arrows;

/// Fails if the module imports what this crate does not seem to define.
pub fn add_arrows(tree: &Tree, methods: &Methods, module: ModuleId, arrows: &mut Arrows) -> Result<()> {
    let scopes = Scopes::default();
    let mut walk = Walk { tree, methods, module, self_type: None, scopes, unresolved: vec![], arrows };
    for item in &tree.modules[module].items {
        walk.visit_item(item);
    }
    ensure!(walk.unresolved.is_empty(), "{}", walk.unresolved.join("\n"));
    Ok(())
}

struct Walk<'a> {
    tree: &'a Tree,
    methods: &'a Methods,
    module: ModuleId,
    /// The type of the `impl` block around the code.
    self_type: Option<TypeId>,
    scopes: Scopes,
    /// A text for each import that leads nowhere.
    unresolved: Vec<String>,
    arrows: &'a mut Arrows,
}

impl Walk<'_> {
    fn scope(&mut self, walk: impl FnOnce(&mut Self)) {
        self.scopes.enter();
        walk(self);
        self.scopes.leave();
    }

    fn path(&mut self, path: &[String], spaces: Spaces) {
        let Some(first) = path.first() else { return };
        if first == "Self" {
            if let (Some(of), [_, member, ..]) = (self.self_type.clone(), path) {
                self.member(&of, member);
            }
            return;
        }
        let first_spaces = if path.len() == 1 { spaces } else { Spaces::TYPES };
        match self.scopes.find(first, first_spaces).cloned() {
            Some(Bound::Here(_) | Bound::Typed(_)) => {}
            Some(Bound::Import(import)) => self.module_path(&[&import, &path[1..]].concat(), spaces),
            None => {
                let globs: Vec<_> = self.scopes.globs().map(|glob| [glob, path].concat()).collect();
                self.module_path(path, spaces);
                for path in globs {
                    self.found(&path, spaces);
                }
            }
        }
    }

    fn module_path(&mut self, path: &[String], spaces: Spaces) {
        if self.found(path, spaces).contains(&Found::Outside) && path.len() > 1 {
            self.outward(path);
        }
    }

    /// Adds an arrow to another crate, unless the path begins in this one.
    fn outward(&mut self, path: &[String]) {
        let names: Vec<_> = path.iter().filter(|name| *name != "::").map(String::as_str).collect();
        if let Some(first) = names.first().filter(|first| !matches!(**first, "crate" | "self" | "super")) {
            self.arrows.add_crate(self.tree.file(self.module), first, &names.join("::"));
        }
    }

    /// Adds the arrows to what the path names, seen from the module.
    fn found(&mut self, path: &[String], spaces: Spaces) -> Vec<Found> {
        let found = self.tree.resolve(self.module, path, spaces);

        for found in &found {
            if let Found::Item { module, name, member } = found {
                self.arrows.add_file(self.tree.file(self.module), self.tree.file(*module), name);
                if let Some(member) = member {
                    self.member(&(*module, name.clone()), member);
                }
            }
        }
        found
    }

    /// Adds an arrow to each file that has an `impl` block with this member of the type.
    fn member(&mut self, of: &TypeId, member: &str) {
        for file in self.methods.files(of, member) {
            self.arrows.add_file(self.tree.file(self.module), file, &format!("{}::{member}", of.1));
        }
    }

    /// Returns the type of `self`, or of a variable with a type annotation.
    fn receiver_type(&self, receiver: &Expr) -> Option<TypeId> {
        let Expr::Path(receiver) = receiver else { return None };
        let name = name_of(receiver.path.get_ident()?);
        match self.scopes.find(&name, Spaces::VALUES) {
            Some(Bound::Typed(of)) => Some(of.clone()),
            _ => self.self_type.clone().filter(|_| name == "self"),
        }
    }

    /// Returns the type in the annotation of a parameter or `let`, if this crate defines it.
    fn written_type(&self, of: &Type) -> Option<TypeId> {
        let path = receivers::path(of)?;
        match self.scopes.find(path.first()?, Spaces::TYPES) {
            _ if path == ["Self"] => self.self_type.clone(),
            Some(Bound::Import(import)) => type_at(self.tree, self.module, &[import, &path[1..]].concat()),
            Some(_) => None,
            None => type_at(self.tree, self.module, &path),
        }
    }

    fn syn_path(&mut self, path: &syn::Path, spaces: Spaces) {
        self.path(&steps(path), spaces);
        for segment in &path.segments {
            self.visit_path_arguments(&segment.arguments);
        }
    }

    /// Visits a path that may begin with a type in angle brackets.
    fn qualified(&mut self, of: Option<&syn::QSelf>, path: &syn::Path, spaces: Spaces) {
        let Some(of) = of else { return self.syn_path(path, spaces) };
        self.visit_type(&of.ty);
        self.path(&steps(path)[..of.position], Spaces::TYPES);
        for segment in &path.segments {
            self.visit_path_arguments(&segment.arguments);
        }
    }

    fn import(&mut self, import: &Import, is_re_export: bool) {
        let found = self.tree.resolve(self.module, &import.path, Spaces::ALL);
        if found.is_empty() && !self.tree.may_be_outside(self.module, &import.path) {
            self.unresolved.push(format!(
                "{}:{} imports {}, whose definition was not found: correct the path, or let the module define the name by an item \
                 or by a macro call in which it occurs",
                self.tree.file(self.module),
                import.line,
                import.path.join("::")
            ));
        }
        for found in &found {
            match found {
                // A glob alone, even of an enum's variants, adds no arrow: the code shows which of its names are used.
                Found::Item { .. } if import.name.is_none() => {}
                Found::Item { module, .. } if is_re_export && self.is_facade_for(*module) => {}
                Found::Item { module, name, .. } => {
                    self.arrows.add_file(self.tree.file(self.module), self.tree.file(*module), name);
                }
                Found::Outside => self.outward(&import.path),
                Found::Module(_) => {}
            }
        }
    }

    /// Returns whether a re-export from `other` is no dependency: a module may re-export its submodules, and one that consists
    /// of re-exports alone may re-export anything.
    fn is_facade_for(&self, other: ModuleId) -> bool {
        let is_re_export = |item: &Item| match item {
            Item::Use(item) => !matches!(item.vis, Visibility::Inherited),
            item => matches!(item, Item::ExternCrate(_)),
        };
        self.tree.is_inside(other, self.module) || self.tree.modules[self.module].items.iter().all(is_re_export)
    }

    fn bind_block(&mut self, statements: &[Stmt]) {
        for statement in statements {
            let Stmt::Item(item) = statement else { continue };
            if is_for_tests(item_attributes(item)) {
                continue;
            }
            if let Item::Use(item) = item {
                for import in imports(item) {
                    match import.name {
                        Some(name) => self.scopes.bind(&name, Bound::Import(import.path)),
                        None => self.scopes.bind_glob(import.path),
                    }
                }
            } else if let Some((name, spaces, _)) = named(item) {
                self.scopes.bind(&name_of(name), Bound::Here(spaces));
            }
        }
    }

    fn pieces(&mut self, pieces: Vec<Piece>) {
        for piece in pieces {
            match piece {
                Piece::Expressions(expressions) => {
                    for expression in &expressions {
                        self.visit_expr(expression);
                    }
                }
                Piece::Statements(statements) => self.scope(|walk| {
                    walk.bind_block(&statements);
                    for statement in &statements {
                        walk.visit_stmt(statement);
                    }
                }),
                Piece::Path(path, follows) => self.token_path(&path, follows),
                Piece::Variable(name) => self.scopes.bind(&name, Bound::Here(Spaces::VALUES)),
            }
        }
    }

    /// Visits a path in the tokens of a macro. A single lower-case name is taken for a variable, unless it is called.
    fn token_path(&mut self, path: &Path, follows: Follows) {
        match (path.as_slice(), follows) {
            (_, Follows::Bang) => self.path(path, Spaces::MACROS),
            (_, Follows::AnyName) => self.any_name_of(path),
            ([name], Follows::Other) if !is_upper(name) => {}
            ([name], _) if matches!(name.as_str(), "crate" | "self" | "super") => {}
            (_, _) => self.path(path, Spaces::CODE),
        }
    }

    /// Adds the arrows to what a path names. If it names a module, adds one to its file as well, because the path may
    /// continue with any name in the module.
    fn any_name_of(&mut self, path: &Path) {
        self.path(path, Spaces::TYPES);
        for found in self.tree.resolve(self.module, path, Spaces::TYPES) {
            if let Found::Module(module) = found {
                self.arrows.add_file(
                    self.tree.file(self.module),
                    self.tree.file(module),
                    &format!("{}::…", path.join("::")),
                );
            }
        }
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(item_attributes(item)) {
            self.scope(|walk| visit::visit_item(walk, item));
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_re_export = !matches!(item.vis, Visibility::Inherited);
        for import in imports(item) {
            self.import(&import, is_re_export);
        }
    }

    fn visit_use_tree(&mut self, _: &'ast UseTree) {}

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let name = name_of(&item.ident);
        self.arrows.add_crate(self.tree.file(self.module), &name, &name);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let outer = std::mem::replace(&mut self.self_type, self_type(self.tree, self.module, item));
        visit::visit_item_impl(self, item);
        self.self_type = outer;
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        if item.ident.is_none() {
            return visit::visit_item_macro(self, item);
        }
        // Paths without `$crate` resolve where the macro is called, which is mostly the module that defines it.
        self.pieces(tokens::of_definition(&item.mac));
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        use syn::ImplItem;
        let attributes: &[Attribute] = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            ImplItem::Macro(item) => &item.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            self.scope(|walk| visit::visit_impl_item(walk, item));
        }
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        self.scope(|walk| visit::visit_trait_item(walk, item));
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !is_for_tests(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if !is_for_tests(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_generics(&mut self, generics: &'ast syn::Generics) {
        for parameter in &generics.params {
            match parameter {
                syn::GenericParam::Type(of) => self.scopes.bind(&name_of(&of.ident), Bound::Here(Spaces::TYPES)),
                syn::GenericParam::Const(of) => self.scopes.bind(&name_of(&of.ident), Bound::Here(Spaces::VALUES)),
                syn::GenericParam::Lifetime(_) => {}
            }
        }
        visit::visit_generics(self, generics);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.scope(|walk| {
            walk.bind_block(&block.stmts);
            visit::visit_block(walk, block);
        });
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if is_for_tests(&local.attrs) {
            return;
        }
        if let Some(init) = &local.init {
            self.visit_local_init(init);
        }
        self.visit_pat(&local.pat);
    }

    fn visit_expr(&mut self, expression: &'ast Expr) {
        let attributes: &[Attribute] = match expression {
            Expr::Block(expression) => &expression.attrs,
            Expr::Call(expression) => &expression.attrs,
            Expr::Macro(expression) => &expression.attrs,
            Expr::MethodCall(expression) => &expression.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_expr(self, expression);
        }
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.scope(|walk| visit::visit_expr_closure(walk, closure));
    }

    fn visit_expr_if(&mut self, expression: &'ast syn::ExprIf) {
        self.scope(|walk| visit::visit_expr_if(walk, expression));
    }

    fn visit_expr_let(&mut self, expression: &'ast syn::ExprLet) {
        self.visit_expr(&expression.expr);
        self.visit_pat(&expression.pat);
    }

    fn visit_expr_while(&mut self, expression: &'ast syn::ExprWhile) {
        self.scope(|walk| visit::visit_expr_while(walk, expression));
    }

    fn visit_expr_for_loop(&mut self, expression: &'ast syn::ExprForLoop) {
        self.visit_expr(&expression.expr);
        self.scope(|walk| {
            walk.visit_pat(&expression.pat);
            walk.visit_block(&expression.body);
        });
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if !is_for_tests(&arm.attrs) {
            self.scope(|walk| visit::visit_arm(walk, arm));
        }
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        let name = name_of(&pattern.ident);
        if is_upper(&name) {
            self.path(&[name], Spaces::VALUES);
        } else {
            self.scopes.bind(&name, Bound::Here(Spaces::VALUES));
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_pat_tuple_struct(&mut self, pattern: &'ast syn::PatTupleStruct) {
        self.qualified(pattern.qself.as_ref(), &pattern.path, Spaces::VALUES);
        pattern.elems.iter().for_each(|element| self.visit_pat(element));
    }

    fn visit_pat_struct(&mut self, pattern: &'ast syn::PatStruct) {
        self.qualified(pattern.qself.as_ref(), &pattern.path, Spaces::TYPES);
        pattern.fields.iter().for_each(|field| self.visit_pat(&field.pat));
    }

    fn visit_expr_path(&mut self, expression: &'ast syn::ExprPath) {
        self.qualified(expression.qself.as_ref(), &expression.path, Spaces::VALUES);
    }

    fn visit_expr_struct(&mut self, expression: &'ast syn::ExprStruct) {
        self.qualified(expression.qself.as_ref(), &expression.path, Spaces::TYPES);
        expression.fields.iter().for_each(|field| self.visit_field_value(field));
        expression.rest.iter().for_each(|rest| self.visit_expr(rest));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if let Some(of) = self.receiver_type(&call.receiver) {
            self.member(&of, &name_of(&call.method));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_pat_type(&mut self, typed: &'ast syn::PatType) {
        visit::visit_pat_type(self, typed);
        if let (Pat::Ident(variable), Some(of)) = (&*typed.pat, self.written_type(&typed.ty)) {
            self.scopes.bind(&name_of(&variable.ident), Bound::Typed(of));
        }
    }

    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        self.qualified(path.qself.as_ref(), &path.path, Spaces::TYPES);
    }

    /// Visits a path that no other method handles: all of those name types or traits.
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.syn_path(path, Spaces::TYPES);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.path(&steps(&call.path), Spaces::MACROS);
        self.pieces(tokens::of_call(call));
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        for path in tokens::of_attribute(attribute) {
            self.path(&path, Spaces::CODE);
        }
        if attribute.path().segments.len() > 1 {
            self.path(&steps(attribute.path()), Spaces::MACROS);
        }
    }
}

fn steps(path: &syn::Path) -> Path {
    let start = path.leading_colon.map(|_| "::".to_owned());
    start.into_iter().chain(path.segments.iter().map(|segment| name_of(&segment.ident))).collect()
}

fn is_upper(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}
