//! The templates of bench/pages, filled with results.

use harness::Result;
use minijinja::{
    Environment, UndefinedBehavior, context,
    syntax::SyntaxConfig,
    value::{Rest, Serde},
};

use super::{
    Scope, goals,
    plots::{self, References},
    tables::{self, Table},
};
use crate::{against::Comparison, results::Results};

const TEMPLATES: [(&str, &str); 7] = [
    ("library.md", include_str!("../../../pages/library.md")),
    ("express.md", include_str!("../../../pages/express.md")),
    ("gateway.md", include_str!("../../../pages/gateway.md")),
    ("nginx.md", include_str!("../../../pages/nginx.md")),
    ("against.md", include_str!("../../../pages/against.md")),
    ("head.md", include_str!("../../../pages/head.md")),
    ("machine.md", include_str!("../../../pages/machine.md")),
];

/// The page of a scope.
pub(super) fn render(scope: Scope, results: &Results) -> Result<String> {
    let plots = plots::references(scope.name(), results);
    let page = scope.page();
    let context = context! {
        page,
        goals => Serde(goals::lines(scope, results)?),
        failed => &results.failed,
        machine => Serde(&results.machine),
        plan => Serde(&results.plan),
    };
    render_template(&format!("{page}.md"), context, results, &plots)
}

/// The page that compares two builds.
pub(super) fn render_against(scope: Scope, revision: &str, comparison: &Comparison) -> Result<String> {
    let ratios = &comparison.ratios;
    let context = context! {
        page => scope.page(),
        revision,
        beyond => comparison.beyond_noise(),
        failed => &ratios.failed,
        machine => Serde(&ratios.machine),
        plan => Serde(&ratios.plan),
    };
    render_template("against.md", context, ratios, &References::default())
}

fn render_template(name: &str, context: minijinja::Value, results: &Results, plots: &References) -> Result<String> {
    let tables = tables::all(results, plots);
    let others = tables.clone();
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A line with only a tag leaves no line in the page.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| error.to_string())?);
    environment.add_function("tables", move |section: &str| {
        joined(section, tables.iter().filter(|table| table.name.starts_with(section)))
    });
    environment.add_function("other_tables", move |sections: Rest<String>| {
        let is_elsewhere = |table: &&Table| sections.iter().any(|section| table.name.starts_with(section.as_str()));
        joined("", others.iter().filter(|table| !is_elsewhere(table)))
    });
    let rendered = TEMPLATES
        .into_iter()
        .try_for_each(|(name, text)| environment.add_template(name, text))
        .and_then(|()| environment.get_template(name)?.render(context));
    rendered.map(|page| page + "\n").map_err(|error| format!("bench/pages/{name}: {error:#}"))
}

/// Some tables under one section; a sentence if there are none.
fn joined<'a>(section: &str, tables: impl Iterator<Item = &'a Table>) -> String {
    let tables: Vec<_> = tables.map(|table| table.under(section)).collect();
    if tables.is_empty() { "Not measured.".to_owned() } else { tables.join("\n\n") }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use figures::Figure;

    use super::*;
    use crate::plan::Plan;

    /// Checks the pages in docs/. After a change of goals or prose, run `bench-runner SCOPE --report-only` (bench/README.md).
    #[test]
    fn the_pages_of_docs_are_rendered_from_their_results() {
        for scope in Scope::ALL {
            let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/{}.md", scope.name()));
            if Scope::TO_COME.contains(&scope) {
                assert!(!page.exists(), "docs/{}.md is there: take its scope out of TO_COME", scope.name());
                continue;
            }
            let committed = fs::read_to_string(&page).unwrap();
            let rendered = render(scope, &Results::committed(scope)).unwrap();
            for (number, (committed, rendered)) in committed.lines().zip(rendered.lines()).enumerate() {
                assert_eq!(committed, rendered, "line {} of docs/{}.md", number + 1, scope.name());
            }
            assert_eq!(committed, rendered, "docs/{}.md", scope.name());
        }
    }

    #[test]
    fn failures_and_missing_tables_are_told() {
        let mut results = Results::default();
        results.fail("x with y: z".to_owned());
        for scope in [Scope::Gateway, Scope::Nginx] {
            let page = render(scope, &results).unwrap();
            assert!(page.contains("\n## Failed measurements\n\n- x with y: z\n\n## The machine\n"), "{page}");
            assert!(page.contains("Not measured."), "{page}");
        }
    }

    #[test]
    fn a_comparison_names_the_revision_and_shows_its_ratios() {
        let mut results = Results::default();
        for (row, rate) in [("portcullis", 90.0), ("portcullis, before", 100.0)] {
            results.add(Figure::count("http: same token", row, "requests/s", "req/s", rate));
        }
        let mut comparison = Comparison::of(results);
        let page = render_against(Scope::Library, "main (abc)", &comparison).unwrap();
        for part in [
            "# Before and after: library\n",
            "over that of main (abc), taken\n",
            "\n## Beyond the noise\n\n| table |",
            "| http: same token | portcullis | requests/s ↑ | 0.900 | **worse** |\n\n## The machine\n",
            "\n## All ratios\n\n### Http: same token\n\n|  | requests/s ↑ |",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        comparison.ratios.plan = Plan::quick();
        let page = render_against(Scope::Library, "main (abc)", &comparison).unwrap();
        assert!(page.contains("\n## Beyond the noise\n\nUnknown: one round alone"), "{page}");
    }
}
