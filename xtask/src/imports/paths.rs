//! The paths in Rust code, except in modules called `tests`.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// Returns all paths in the code with their lines, in macros and attributes too; a name alone counts in a `use` only, and `await`.
pub(super) fn named(code: &str) -> syn::Result<Vec<(usize, Vec<String>)>> {
    let mut reader = Reader(Vec::new());
    reader.visit_file(&syn::parse_file(code)?);
    Ok(reader.0)
}

struct Reader(Vec<(usize, Vec<String>)>);

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.ident != "tests" {
            let before = self.0.len();
            visit::visit_item_mod(self, module);
            // Outside of this module, but still inside the file's module.
            let inside = self.0.iter_mut().skip(before);
            inside.for_each(|(_, path)| path.extract_if(..1, |step| step == "super").for_each(drop));
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree("", &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (Some(first), 2..) = (path.segments.first(), path.segments.len()) {
            let steps: Vec<_> = path.segments.iter().map(|step| step.ident.to_string()).collect();
            self.add(&steps.join("::"), first.ident.span());
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_await(&mut self, expression: &'ast syn::ExprAwait) {
        self.add("await", expression.await_token.span);
        visit::visit_expr_await(self, expression);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.tokens(tokens.clone());
    }
}

impl Reader {
    fn add(&mut self, path: &str, at: Span) {
        self.0.push((at.start().line, path.split("::").map(str::to_owned).collect()));
    }

    fn tree(&mut self, prefix: &str, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.tree(&format!("{prefix}{}::", path.ident), &path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(prefix, tree)),
            syn::UseTree::Name(name) => self.add(&format!("{prefix}{}", name.ident), name.ident.span()),
            syn::UseTree::Rename(name) => self.add(&format!("{prefix}{}", name.ident), name.ident.span()),
            syn::UseTree::Glob(glob) => self.add(&format!("{prefix}*"), glob.star_token.span),
        }
    }

    /// Reads macros and attributes: names with `::` between them, and texts that begin with `crate::`.
    fn tokens(&mut self, tokens: TokenStream) {
        let (mut words, mut at) = (String::new(), Span::call_site());
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Literal(text) if !text.to_string().starts_with("\"crate::") => words.push(' '),
                other => {
                    at = other.span();
                    words.extend([" ", other.to_string().trim_matches('"')]);
                }
            }
        }
        for path in words.replace(" : : ", "::").split(' ').filter(|word| word.contains("::")) {
            self.add(path, at);
        }
    }
}
