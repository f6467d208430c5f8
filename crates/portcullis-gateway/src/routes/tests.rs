#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::{
    Host, Hosts, Overrides, Pattern, Request, Routes, Unrouted,
    Unrouted::*,
    agreement::{RESOURCES, TABLES, WORDS, disagreement, disagreement_in_any_case, routes},
    pattern::NotAPattern,
    readings::{has_one_reading, is_plain},
};

fn for_methods(rows: &[(&str, &[&str])]) -> Routes {
    let owned = |(pattern, methods): &(&str, &[&str])| {
        (Pattern::parse(pattern).unwrap(), methods.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let rows: Vec<_> = rows.iter().map(owned).collect();
    Routes::new(rows.iter().map(|(pattern, methods)| (Some(pattern), methods.as_slice(), Hosts::default())))
}

fn check(patterns: &[&str], table: &[(&str, Result<usize, Unrouted>)]) {
    let routes = routes(patterns);
    for (target, expected) in table {
        assert_eq!(routes.find("GET", target), *expected, "{target:?} under {patterns:?}");
    }
}

#[test]
fn the_first_that_matches_wins() {
    check(
        &["/orders/new", "/orders/*", "/health", "/lists/"],
        &[
            ("/orders/new", Ok(0)),
            ("/orders/new/", Err(AmbiguousPath)),
            ("/orders/new/1", Ok(1)),
            ("/orders", Ok(1)),
            ("/orders/", Ok(1)),
            ("/orders/1", Ok(1)),
            ("/orders/1/lines?x=/health", Ok(1)),
            ("/ordersnot", Err(NoRoute)),
            ("/Orders/1", Err(NoRoute)),
            ("/health", Ok(2)),
            ("/health/", Err(NoRoute)),
            ("/health?deep=../../orders/1", Ok(2)),
            ("/health#x", Err(AmbiguousPath)),
            ("/lists/", Ok(3)),
            ("/lists", Err(NoRoute)),
            ("/", Err(NoRoute)),
        ],
    );
    check(&["/*"], &[("/", Ok(0)), ("/x", Ok(0)), ("//x/../y;z=%2F", Ok(0)), ("*", Err(MalformedPath))]);
    check(&["/"], &[("/", Ok(0)), ("/?a", Ok(0)), ("/x", Err(NoRoute))]);
    check(&[], &[("/", Err(NoRoute))]);
}

#[test]
fn a_slash_at_the_end_opens_nothing() {
    check(
        &["/admin", "/lists/", "/*"],
        &[
            ("/admin", Ok(0)),
            ("/admin/", Err(AmbiguousPath)),
            ("/admin/.", Err(AmbiguousPath)),
            ("/lists/", Ok(1)),
            ("/lists", Err(AmbiguousPath)),
            ("/lists/1", Ok(2)),
        ],
    );
    check(&["/a", "/a/", "/*"], &[("/a", Ok(0)), ("/a/", Ok(1)), ("/a/b", Ok(2))]);
}

#[test]
fn methods_compare_to_the_letter() {
    let routes = for_methods(&[("/a", &["GET"]), ("/a", &["POST", "HEAD"]), ("/b", &["HEAD"]), ("/c", &["OPTIONS"])]);
    let table = [
        ("GET", "/a", Ok(0)),
        ("HEAD", "/a", Ok(0)),
        ("POST", "/a", Ok(1)),
        ("get", "/a", Err(NoRoute)),
        ("DELETE", "/a", Err(NoRoute)),
        ("HEAD", "/b", Ok(2)),
        ("GET", "/b", Err(NoRoute)),
        ("OPTIONS", "/c", Ok(3)),
        ("OPTIONS", "*", Err(NoRoute)),
        ("GET", "*", Err(MalformedPath)),
    ];
    for (method, target, expected) in table {
        assert_eq!(routes.find(method, target), expected, "{method} {target}");
    }
}

/// Paths that lead into `/admin` on some server.
const WAYS_IN: &[&str] = &[
    "/public/../admin/users",
    "/public/..//admin",
    "/public/%2e%2e/admin",
    "/public/.%2E/admin",
    "/public/%252e%252e/admin",
    "/public/%25252e%25252e%25252fadmin",
    "/public/..%2fadmin",
    "/public/..%2Fadmin",
    "/public%2f..%2fadmin",
    "/public/..%5cadmin",
    "/public/..\\admin",
    "/public\\..\\admin",
    "/public/..;/admin",
    "/public/..;a=b/admin",
    "/public/..;a=%2F/admin",
    "/public/%2e%2e;x/admin",
    "/public/..%3b/admin",
    "/public/..%253b/admin",
    "/public/x/../../admin",
    "/public/x/..%2f../admin",
    "/public/;/../../admin",
    "/public#/../../admin",
    "/public%23/../../admin",
    "/public%3f/../../admin",
    "/admin%3fx",
    "//admin",
    "///admin/users",
    "//public/admin",
    "//public//admin",
    "/\\public/admin",
    "/%2fpublic/admin",
    "/./admin",
    "/.//admin",
    "/../admin",
    "/%61dmin",
    "/%2561dmin",
    "/adm%69n/users",
    "/%5cadmin",
    "/\\admin",
    "/;/admin",
    "/;x=y/admin",
    "/admin;x=y",
    "/admin;",
    "/;%2Fadmin",
    "/x;/../admin",
    "/admin/..;/public/../admin",
    "/public/a%2fb/%2e%2e/%2e%2e/admin/users",
    "/public/a%2Fb/../../admin",
    "/public/a%252fb/%2e%2e/%2e%2e/admin",
    "/public/a%5cb/../../admin",
    "/public/a\\b/../../admin",
    "/public/a%2fb%2fc/../../../admin",
    "/public/a;%2fb/../../admin",
    "/public/a//../../admin",
    "/public/x%2f..%2f..%2fadmin",
    "/public/%25%32%65%25%32%65/admin",
    "/public/....//admin",
    "/public/..././admin",
    "/public/.../...//admin",
    "/public/%2e%2e%20/admin",
    "/public/..+/admin",
    "/public/..%E2%80%8B/admin",
    "/public/．．/admin",
    "/public/..／admin",
    "/public/..＼admin",
    "/public/‥/admin",
    "/public/..；x/admin",
    "/public/..∕admin",
    "/public/％2e％2e/admin",
    // After a removal, the rest is an encoding.
    "/public/%25..2e%25..2e/admin",
    "/public/%25..2e./admin",
    "/public/%252....e%25../2e/admin",
    "/public/%25./2e%25.\\2e/admin",
    "/public/..%25..2fadmin",
    "/public/%25%202e%25%202e/admin",
    "/public/..%25{2fadmin",
    "/public/%25%C3%BC2e%252%C3%BCe/admin",
    "/public/%25%E2%80%8B2e%25%E2%80%8B2e/admin",
    "/public/..%25\u{ad}2fadmin",
    "/%25..61dmin",
    "/admin;/../public/x",
    "/admin%3b/../public/x",
    "/admin/x/..;/../../../../public/y",
    "/admin%23/../public/x",
    "/admin.",
    "/admin...",
    "/admin%20",
    "/admin+",
    "/+admin",
    "/admin./users",
    "/ad../min",
    "/ad./min",
    "/ad..%2fmin",
    "/ad....//min",
    "/ad..min",
    // A cleaner drops spaces, dots at the beginning, or everything beyond ASCII.
    "/ad%20min",
    "/ad+min",
    "/.admin",
    "/adm%C3%ADn",
    "/ad%C3%BCmin/users",
    "/public/.%C3%BC./admin",
    "/public/..%E2%82%AC/admin",
    "/ad%22min",
    // The stream of a file, in compatibility forms, or once something is removed.
    "/admin%EF%BC%9A%EF%BC%84DATA",
    "/admin\u{ff1a}%EF%BC%9A$DATA",
    "/admin:%EF%B9%A9DATA",
    "/admin:%C3%A9$DATA",
    "/admin::%7B$DATA",
    "/admin/users:+$DATA",
    "/%7Badmin}",
    "/ad%3Cx%3Emin",
    "/public/.<x>./admin",
    "/public/<x/>../admin",
    "/public/<x%253E/>../admin",
    "/<admin/x/../>admin<",
    "/%EF%BC%9Badmin/users",
    "/public/%E2%82%AC/../admin",
    "/%E2%82%AC/admin",
    "/admin::$DATA",
    "/admin:$i30:$INDEX_ALLOCATION/users",
    "/ａdmin",
    "/%EF%BD%81dmin",
    "/ad%E2%80%8Bmin",
    "/public/../ａdmin",
    "/.//public/admin",
    "/x/..//public/admin",
    "//./public/admin",
    "//x/../public/admin",
    "/%2f%2fpublic/admin",
    "http://host//admin",
    "http://host/public/../admin",
    "HTTPS://host/%61dmin?q",
];

#[test]
fn no_spelling_leads_around_a_protected_route() {
    let routes = routes(&["/admin/*", "/public/*", "/*"]);
    for target in WAYS_IN {
        let found = routes.find("GET", target);
        assert!(matches!(found, Ok(0) | Err(AmbiguousPath)), "{target:?}: {found:?}");
    }
}

#[test]
fn a_name_of_another_script_is_behind_its_route_also_with_dots() {
    // Windows drops the dots at the end of a name; `%E7%AE%A1%E7%90%86` is `管理`, `%EF%BD%98` a wide `x`.
    for ending in
        [".", "..", "...", "..%2F", "..%2Fa", "..\\", "../", "../a", ".../a", "..;a", "..%20", "%2e%2e", ".%2e/a"]
    {
        for target in [format!("/%E7%AE%A1%E7%90%86{ending}"), format!("/%EF%BD%98{ending}")] {
            for table in [&["/管理/*", "/x/*", "/*"][..], &["/管理", "/x", "/管理/*", "/x/*", "/*"]] {
                let found = routes(table).find("GET", &target);
                assert_eq!(found, Err(AmbiguousPath), "{target} under {table:?}");
            }
        }
    }
    check(
        &["/管理/*", "/*"],
        &[
            ("/%E7%AE%A1%E7%90%86", Ok(0)),
            ("/%E7%AE%A1%E7%90%86/a", Ok(0)),
            ("/%E7%AE%A1%E7%90%86/%E6%96%87...", Ok(0)),
            ("/%E6%96%87", Ok(1)),
            ("/%E6%96%87.", Ok(1)),
            ("/%E6%96%87...", Ok(1)),
        ],
    );
}

#[test]
fn a_hidden_name_is_behind_its_route_where_dots_are_taken_out() {
    let routes = routes(&["/public/.well-known/*", "/*"]);
    for target in [
        "/public/.../well-known/x",
        "/public/./.../well-known",
        "/public/..%2e%2fwell-known",
        "/public/.././well-known",
        "/public/a/%2e%2e/.../well-known",
        "/public/%2ewell-known",
        "/public/..well-known",
    ] {
        assert_eq!(routes.find("GET", target), Err(AmbiguousPath), "{target}");
    }
    check(&["/.well-known/*", "/*"], &[("/.../well-known", Err(AmbiguousPath)), ("/well-known", Ok(1))]);
    // Trimmed, `//x`, whose path is that of the root where `x` is read as a host.
    check(
        &["/", "/public/*", "/*"],
        &[
            ("/.../x", Err(AmbiguousPath)),
            ("/.../%25", Err(AmbiguousPath)),
            ("/..../public/a", Err(AmbiguousPath)),
            ("/a/.../x", Ok(2)),
        ],
    );
    assert_eq!(routes.find("GET", "/public/.well-known/x"), Ok(0));
    assert_eq!(routes.find("GET", "/public/x./well-known"), Ok(1));
}

#[test]
fn honest_names_pass_beside_a_route_for_all_else() {
    check(
        &["/health", "/orders/*", "/api/v4/projects/*", "/_matrix/*", "/files/*", "/~ada/*", "/odata/*", "/*"],
        &[
            ("/api/v4/projects/group%2Fproject/repository/files/src%2Fmain.rs/raw", Ok(2)),
            ("/_matrix/client/v3/rooms/!a:host/send/m.room.message/1", Ok(3)),
            ("/_matrix/client/v3/profile/%40user%3Ahost", Ok(3)),
            ("/files/report./x", Ok(4)),
            ("/files/Bericht%20%C3%9Cbersicht.pdf", Ok(4)),
            ("/files/100%25%20de%20descuento", Ok(4)),
            ("/files/%E6%96%87%E4%BB%B6/..%E6%96%87", Err(AmbiguousPath)),
            ("/files/.%E6%96%87", Ok(4)),
            ("/files/%E6%96%87...", Ok(4)),
            ("/files/%E6%96%87/%E4%BB%B6", Ok(4)),
            ("/%E6%96%87/", Ok(7)),
            ("/~ada/a", Ok(5)),
            (&format!("/files/{}", vec!["a"; 40].join("%2F")), Ok(4)),
            ("/odata/Products(1)/Items('a;b',2)", Ok(6)),
            ("/odata/Items(Name='a%2Fb')", Ok(6)),
            ("/Inc./orders", Ok(7)),
            ("/Inc./health", Ok(7)),
            ("/caf%C3%A9/1;jsessionid=1", Ok(7)),
            ("/users/ada+lists@example.com", Ok(7)),
            ("/users/ada%2Blists%40example.com", Ok(7)),
            ("/apis/apps/v1.2/namespaces/a.b/pods/x:443/proxy/", Ok(7)),
            ("/2026-11-27T01:12:00+01:00", Ok(7)),
            ("/.well-known/openid-configuration", Ok(7)),
            ("/graphql?query=%7Bme%7Bid%7D%7D", Ok(7)),
            ("/files/p%3C0.05%20and%20%3Cx%3E", Ok(4)),
            ("/files/%7B6F9619FF-8B86-D011-B42D-00CF4FC964FF%7D", Ok(4)),
        ],
    );
}

#[test]
fn a_spelling_without_consequence_passes() {
    check(
        &["/orders/*", "/büro/*"],
        &[
            ("/orders/a%20b", Ok(0)),
            ("/orders/a%2Fb", Ok(0)),
            ("/orders/100%25", Ok(0)),
            ("/orders/100%2541", Ok(0)),
            ("/orders/100%25.de", Ok(0)),
            ("/orders/100%25/ab", Ok(0)),
            ("/orders/100%25%2025", Ok(0)),
            ("/orders//1", Ok(0)),
            ("/orders/./1", Ok(0)),
            ("/orders/x/../1", Ok(0)),
            ("/orders/1;v=2", Ok(0)),
            ("/orders/1;v=2/lines;x", Ok(0)),
            ("/orders;v=2", Err(AmbiguousPath)),
            ("/orders/a\\b", Ok(0)),
            ("/orders/what%3F%23", Ok(0)),
            ("/orders/1#part", Ok(0)),
            ("/orders/{1}|", Ok(0)),
            ("/orders/%E2%82%AC", Ok(0)),
            ("/orders/€", Ok(0)),
            ("/b%C3%BCro/1", Ok(1)),
            ("/b%c3%bcro/1", Ok(1)),
            ("/büro", Ok(1)),
            ("/orders/..;/orders/1", Ok(0)),
            ("/nothing//at/../all;x", Err(NoRoute)),
        ],
    );
}

#[test]
fn another_spelling_of_a_name_is_that_name_and_another() {
    check(
        &["/büro/*", "/v1..v2", "/a+b", "/c.", "/*"],
        &[
            ("/büro/1", Ok(0)),
            ("/bu\u{308}ro/1", Err(AmbiguousPath)),
            ("/b%75\u{308}ro/1", Err(AmbiguousPath)),
            ("/v1..v2", Ok(1)),
            ("/v1v2", Ok(4)),
            ("/a+b", Ok(2)),
            ("/a%20b", Err(AmbiguousPath)),
            ("/c.", Ok(3)),
            ("/c", Ok(4)),
            ("/d.", Ok(4)),
            ("/+", Ok(4)),
            ("/d+e/½/…", Ok(4)),
        ],
    );
    check(
        &["/a/*"],
        &[("/a/v1..v2", Ok(0)), ("/a/b./c", Ok(0)), ("/a/%E2%80%8B", Ok(0)), ("/a/%2e%2e", Err(AmbiguousPath))],
    );
}

#[test]
fn a_request_for_another_method_is_judged_by_both() {
    let routes = for_methods(&[("/orders/*", &["DELETE"]), ("/open/*", &[]), ("/*", &["GET", "POST"]), ("/*", &[])]);
    let none: &[(&str, &str)] = &[];
    type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)], Result<usize, Unrouted>);
    let table: &[Row] = &[
        ("DELETE", "/orders/1", none, Ok(0)),
        ("delete", "/orders/1", none, Err(MalformedMethod)),
        ("dElEtE", "/orders/1", none, Err(MalformedMethod)),
        ("delete", "/open/1", none, Err(MalformedMethod)),
        ("head", "/orders/1", none, Err(MalformedMethod)),
        ("PATCH", "/orders/1", none, Ok(3)),
        ("patch", "/orders/1", none, Ok(3)),
        ("DELETE\t", "/orders/1", none, Err(MalformedMethod)),
        (" DELETE", "/orders/1", none, Err(MalformedMethod)),
        ("DELETE,GET", "/orders/1", none, Err(MalformedMethod)),
        ("", "/orders/1", none, Err(MalformedMethod)),
        ("POST", "/orders/1", &[("X-HTTP-Method-Override", "DELETE")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("x-http-method-override", "delete")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-Method-Override", "DELETE")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-HTTP-Method", "DELETE")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X_HTTP_Method_Override", "DELETE")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-HTTP_Method.Override", "DELETE")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-HTTP-Method", "\tdelete\t")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-HTTP-Method", "GET")], Ok(2)),
        ("POST", "/orders/1", &[("X-HTTP-Method", "GET"), ("X-HTTP-Method", "GET")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-HTTP-Method", "GET"), ("X-Method-Override", "DELETE")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-HTTP-Method", "GET, DELETE")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-HTTP-Method", "")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-HTTP-Method", "dé")], Err(AmbiguousMethod)),
        ("POST", "/orders/1", &[("X-HTTP-Methods", "DELETE")], Ok(2)),
        ("POST", "/open/1", &[("X-HTTP-Method", "DELETE")], Ok(1)),
        ("DELETE", "/orders/1", &[("X-HTTP-Method", "GET")], Err(AmbiguousMethod)),
        ("POST", "/orders/1?_method=DELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?a=b&_method=delete", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?a;_method=delete", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?%5Fmethod=%44ELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?%255fm%65thod=DELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?.method=DELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?+_METHOD=DELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?_method[]=DELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?a=b%26_method=DELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?%ff&_method%3dDELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?back=%2Fx%3F_method%3DDELETE", none, Ok(2)),
        // Some servers decode before they look for the query.
        ("POST", "/orders/1%3F_method=DELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1%3fa=b&_method=DELETE?a=b", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1%253f%5Fmethod%3DDELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1%EF%BC%9F_method=DELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1\u{ff1f}_method=DELETE", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1%3F_method=GET?_method=GET", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1%3F_method=GET", none, Ok(2)),
        ("POST", "/orders/why%3F", none, Ok(2)),
        ("POST", "/orders/%C3%A9_method=DELETE", none, Ok(2)),
        ("POST", "/orders/1?_method=GET", none, Ok(2)),
        ("POST", "/orders/1?_method=GET&_method=GET", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?_method", none, Err(AmbiguousMethod)),
        ("POST", "/orders/1?method=DELETE&x_method=DELETE", none, Ok(2)),
        ("POST", "/orders/1?_method=GET", &[("X-HTTP-Method", "GET")], Err(AmbiguousMethod)),
        ("POST", "/open/1?_method=DELETE", none, Ok(1)),
    ];
    for (method, target, fields, expected) in table {
        let overriding =
            fields.iter().fold(Overrides::NOTHING, |before, (name, value)| before.and(name, value.as_bytes()));
        assert_eq!(
            routes.find_with(Request { method, host: None, target, overriding }),
            *expected,
            "{method} {target} {fields:?}"
        );
    }
}

/// Header fields by name and value.
type Fields<'a> = &'a [(&'a str, &'a str)];

#[test]
fn a_request_for_another_path_is_judged_by_both() {
    for methods in [&[][..], &["GET", "POST"][..]] {
        let routes = for_methods(&[("/public/*", methods), ("/admin/*", &["DELETE"]), ("/admin/*", methods)]);
        let table: &[(&str, Fields<'_>, Result<usize, Unrouted>)] = &[
            ("/public/a", &[("X-Original-URL", "/admin/users")], Err(AmbiguousPath)),
            ("/public/a", &[("X-Rewrite-URL", "/admin/users?x")], Err(AmbiguousPath)),
            ("/public/a", &[("x_rewrite_url", "/admin/users")], Err(AmbiguousPath)),
            ("/public/a", &[("X.Original-Url", "/public/../admin/users")], Err(AmbiguousPath)),
            ("/public/a", &[("X-Rewrite-URL", "https://x/admin/users")], Err(AmbiguousPath)),
            ("/public/a", &[("X-Rewrite-URL", "/elsewhere")], Err(AmbiguousPath)),
            ("/public/a", &[("X-Rewrite-URL", "admin/users")], Err(AmbiguousPath)),
            ("/public/a", &[("X-Rewrite-URL", "")], Err(AmbiguousPath)),
            ("/public/a", &[("X-Rewrite-URL", "/public/b,/admin/users")], Err(AmbiguousPath)),
            ("/public/a", &[("X-Rewrite-URL", "/public/b, admin/users")], Err(AmbiguousPath)),
            ("/public/a", &[("X-Rewrite-URL", "/public/b"), ("X-Original-URL", "/public/b")], Err(AmbiguousPath)),
            ("/public/a", &[("X-Rewrite-URL", "\t/public/b ")], Ok(0)),
            ("/public/a", &[("X-Original-URL", "https://x/public/b?x")], Ok(0)),
            ("/public/a", &[("X-Original-URLs", "/admin/users")], Ok(0)),
            ("/admin/a", &[("X-Rewrite-URL", "/public/a")], Err(AmbiguousPath)),
            ("/admin/a", &[("X-Rewrite-URL", "/admin/b"), ("X-HTTP-Method", "DELETE")], Err(AmbiguousMethod)),
            ("/admin/a", &[("X-Rewrite-URL", "/admin/b?_method=DELETE")], Err(AmbiguousMethod)),
            ("/admin/a", &[("X-Rewrite-URL", "/admin/b%3F_method=DELETE")], Err(AmbiguousMethod)),
            ("/admin/a?_method=GET", &[("X-Rewrite-URL", "/admin/b?%5fmethod=DELETE")], Err(AmbiguousMethod)),
            ("/admin/a?_method=GET", &[("X-Rewrite-URL", "/admin/b")], Ok(2)),
        ];
        for (target, fields, expected) in table {
            let asked =
                fields.iter().fold(Overrides::NOTHING, |asked, (name, value)| asked.and(name, value.as_bytes()));
            assert_eq!(
                routes.find_with(Request { method: "GET", host: None, target, overriding: asked }),
                *expected,
                "{target} {fields:?}"
            );
        }
    }
}

#[test]
fn where_no_route_names_a_method_none_matters() {
    let routes = routes(&["/*"]);
    for (method, field) in [("get", "DELETE"), ("BREW", ""), ("GET", "a b")] {
        let overriding = Overrides::NOTHING.and("x-http-method", field.as_bytes());
        assert_eq!(
            routes.find_with(Request { method, host: None, target: "/orders?_method=x", overriding }),
            Ok(0),
            "{method}"
        );
    }
}

#[test]
fn what_is_no_path_is_malformed() {
    let routes = routes(&["/*"]);
    let long = format!("/{}", "a".repeat(8 << 10));
    let table = [
        "",
        "a",
        "?x",
        "*",
        "a/b",
        "\\a",
        "host:443",
        "/%",
        "/%4",
        "/%zz",
        "/%u002f",
        "/a%",
        "/% 41",
        "/a b",
        "/a\tb",
        "/a\0",
        "/a%00",
        "/a%2500",
        "/a%0d%0aX: y",
        "/a%7f",
        "/a%1F",
        "/%c0%af",
        "/%c0%2e",
        "/%e0%80%af",
        "/%ff",
        "/%25ff",
        "/%25u002f",
        "/%25%75002e",
        "/%25C3%BC",
        "/\u{85}",
        "/%C2%85",
        "ftp://host/a",
        "http://",
        "http:///a",
        "http://user@host/a",
        "http://host\\@other/a",
        "http://ho%73t/a",
        "http://ho st/",
        "http://host#/a",
        "http:/host/a",
        "http:host/a",
        "://host/a",
        &long,
    ];
    for target in table {
        assert_eq!(routes.find("GET", target), Err(MalformedPath), "{target:?}");
    }
}

#[test]
fn an_absolute_target_is_its_path() {
    check(
        &["/orders/*", "/"],
        &[
            ("http://host/orders/1?x", Ok(0)),
            ("HTTP://host:8080/orders", Ok(0)),
            ("https://[::1]:8443/orders/", Ok(0)),
            ("http://host", Ok(1)),
            ("http://host?x=/orders/1", Ok(1)),
            ("http://host#x", Ok(1)),
            ("http://host/?http://other/orders/1", Ok(1)),
        ],
    );
}

#[test]
fn the_work_is_bounded() {
    let routes = routes(&["/*"]);
    // All of these are under the only route, so only the limits end the search.
    for piece in ["%25", "%2525", ";a%252e", "//%2e./;x\\", "/..", "%E2%82%AC", "\\%5c%255c%25255c"] {
        let target = format!("/{}", piece.repeat((8 << 10) / piece.len() - 1));
        let found = routes.find("GET", &target);
        assert!(matches!(found, Ok(0) | Err(AmbiguousPath)), "{piece}: {found:?}");
    }
    let nested = format!("/%{}41", "25".repeat(4000));
    assert_eq!(routes.find("GET", &nested), Err(AmbiguousPath));
    assert_eq!(routes.find("GET", "/%2525252541"), Ok(0));
    // Each of many places leads to each of its ancestors.
    let deep = format!("{}{}", "/x".repeat(2000), "/%2e%2e".repeat(500));
    assert_eq!(routes.find("GET", &deep), Err(AmbiguousPath));
}

#[test]
fn a_plain_path_is_known_at_a_look() {
    for path in ["/", "/a", "/a/", "/a/b.c/..d/...", "/a:b@c!$&'()*+,=~_-"] {
        assert!(is_plain(path), "{path}");
    }
    for path in ["/a..b", "/a./b", "/a.", "/..a", "/+a", "/a+/b", "/a/b+"] {
        assert!(is_plain(path) && !has_one_reading(path), "{path}");
    }
    for path in
        ["//", "/a//b", "/a//", "/.", "/..", "/a/./b", "/a/..", "/%41", "/a;b", "/a\\b", "/a#b", "/ä", "/a b", "/a\0"]
    {
        assert!(!is_plain(path), "{path}");
    }
}

#[test]
fn a_pattern_is_clean() {
    for good in ["/", "/*", "/orders", "/orders/", "/orders/*", "/a.b/..c/~d/e:f@g/*", "/büro/*"] {
        assert_eq!(Pattern::parse(good).unwrap().as_str(), good);
    }
    let table = [
        ("", "starts with `/`"),
        ("orders/*", "write `/orders/*`"),
        ("*", "starts with `/`"),
        ("/a*", "as a whole segment"),
        ("/a/*b/c", "as a whole segment"),
        ("/a/**", "as a whole segment"),
        ("/**", "as a whole segment"),
        ("/a//b", "single slashes"),
        ("//", "single slashes"),
        ("/a//*", "single slashes"),
        ("//*", "single slashes"),
        ("/a/./b", "dot segments"),
        ("/a/..", "dot segments"),
        ("/../*", "dot segments"),
        ("/a%20b", "decoded"),
        ("/a;b", "parameters"),
        ("/a\\b", "write `/`"),
        ("/a?b", "path alone"),
        ("/a#b", "path alone"),
        ("/users/{id}", "variables have no names"),
        ("/users/:id", "variables have no names"),
        ("/users/:id/*", "variables have no names"),
        ("/.../*", "every server keeps"),
        ("/a/+", "every server keeps"),
        ("/\u{200b}/*", "every server keeps"),
        ("/a／b", "no encoding"),
        ("/a…", "no encoding"),
        ("/a::$DATA", "the stream of a file"),
        ("/a\u{ff1a}\u{ff04}DATA", "the stream of a file"),
        ("/a b", "no encoding"),
        ("/a\u{0}", "control character"),
    ];
    for (pattern, words) in table {
        let NotAPattern { problem, help } = Pattern::parse(pattern).unwrap_err();
        assert!(problem.starts_with("expected ") && problem.contains("got "), "{pattern:?}: {problem}");
        assert!(problem.contains(words) || help.contains(words), "{pattern:?}: {problem}: {help}");
    }
}

#[test]
fn a_star_before_the_end_stands_for_one_name() {
    let routes = routes(&["/tenants/own/orders", "/tenants/*/orders", "/tenants/*/admin/*", "/tenants/*"]);
    for (target, expected) in [
        ("/tenants/own/orders", Ok(0)),
        ("/tenants/acme/orders", Ok(1)),
        ("/tenants/acme/orders?x=1", Ok(1)),
        ("/tenants/a%20b/orders", Ok(1)),
        ("/tenants/b%C3%BCro/orders", Ok(1)),
        ("/tenants/acme/admin", Ok(2)),
        ("/tenants/acme/admin/users/1", Ok(2)),
        ("/tenants/own/admin/users", Ok(2)),
        ("/tenants/acme/x", Ok(3)),
        ("/tenants/acme/b/orders", Ok(3)),
        ("/tenants", Ok(3)),
        ("/other", Err(NoRoute)),
        // More than one name, or none, to some servers.
        ("/tenants/acme/orders/", Err(AmbiguousPath)),
        ("/tenants//orders", Err(AmbiguousPath)),
        ("/tenants/%20/orders", Err(AmbiguousPath)),
        ("/tenants//b./orders", Err(AmbiguousPath)),
        ("/tenants/a%2Fb/orders", Err(AmbiguousPath)),
        ("/tenants/a\\b/orders", Err(AmbiguousPath)),
        ("/tenants/%6fwn/orders", Err(AmbiguousPath)),
        ("/tenants/acme;x/orders", Err(AmbiguousPath)),
        ("/tenants/acme/../own/orders", Err(AmbiguousPath)),
        ("/tenants/acme/%61dmin/users", Err(AmbiguousPath)),
        ("/tenants/acme/../admin/x", Err(AmbiguousPath)),
        ("/tenants/..%2fx/orders", Err(AmbiguousPath)),
    ] {
        assert_eq!(routes.find("GET", target), expected, "{target}");
    }
}

#[test]
fn a_star_beside_names_leads_on_below_them() {
    let routes = routes(&["/a/x", "/*/y/*", "/*/*/z", "/*"]);
    for (target, expected) in
        [("/a/x", 0), ("/a/y", 1), ("/b/y/1", 1), ("/a/x/z", 2), ("/b/c/z", 2), ("/a/y/z", 1), ("/a/c", 3), ("/", 3)]
    {
        assert_eq!(routes.find("GET", target), Ok(expected), "{target}");
        // One encoded character in a name that no pattern has: the search agrees with the look.
        let encoded = format!("{target}?x=%20");
        assert_eq!(routes.find("GET", &encoded), Ok(expected), "{encoded}");
    }
    assert_eq!(routes.find("GET", "/b%20/c/z"), Ok(2));
    assert_eq!(routes.find("GET", "/b%20/y/z"), Ok(1));
}

#[test]
fn a_name_that_vanishes_may_be_cut_off_with_the_rest() {
    let routes = routes(&["/", "/public/*", "/*"]);
    for (target, expected) in
        [("/€;admin", Err(AmbiguousPath)), ("/%E2%82%AC%3badmin", Err(AmbiguousPath)), ("/x;y", Ok(2))]
    {
        assert_eq!(routes.find("GET", target), expected, "{target}");
    }
    // A name of another script is a name.
    assert_eq!(routes.find("GET", "/%E6%97%A5%E6%9C%AC"), Ok(2));
}

#[test]
fn with_a_star_paths_that_servers_join_or_cut_are_ambiguous() {
    let routes = routes(&["/*/users/*", "/public/*", "/admin", "/*"]);
    for target in ["/ad+min%2e/\\host%252Fadmin/users", "/x;v=1", "/x/../y", "/x%2Fy", "/x//y", "/x./y"] {
        assert_eq!(routes.find("GET", target), Err(AmbiguousPath), "{target}");
    }
    for (target, expected) in [("/x%20y", 3), ("/x/y/", 3), ("/x%20y/users/1", 0), ("/b%C3%BCro", 3), ("/x.y", 3)] {
        assert_eq!(routes.find("GET", target), Ok(expected), "{target}");
    }
}

#[test]
fn nothing_is_left_of_a_path_that_is_all_authority_or_stream() {
    let routes = routes(&["/", "/public/*", "/*"]);
    for target in ["//.../well-known../users", "//a./b", "/users#..././admin/..", "/:%252fad::$DATA", "/:%5Cad::$DATA"]
    {
        assert_eq!(routes.find("GET", target), Err(AmbiguousPath), "{target}");
    }
}

#[test]
fn no_star_stands_for_an_empty_segment() {
    let routes = routes(&["/*/*/users", "/public/*/*", "/*"]);
    for target in ["/public//a.", "/public//a%20", "/public//x/", "/x//users"] {
        assert_eq!(routes.find("GET", target), Err(AmbiguousPath), "{target}");
    }
}

#[test]
fn with_too_many_stars_odd_spellings_are_ambiguous() {
    let patterns: Vec<String> =
        (0..60).flat_map(|n| [format!("/a{n}/*/*/z"), format!("/*/b{n}/*/z"), format!("/*/*/c{n}/z")]).collect();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    let routes = routes(&patterns);
    assert_eq!(routes.find("GET", "/x/b7/x/z"), Ok(22));
    assert_eq!(routes.find("GET", "/x%20/b7/x/z"), Err(AmbiguousPath));
}

#[test]
fn patterns_meet_where_a_path_is_under_both() {
    let meet = |one: &str, other: &str| Pattern::parse(one).unwrap().meets(&Pattern::parse(other).unwrap());
    for (one, other, expected) in [
        ("/*", "/a", true),
        ("/*", "/", true),
        ("/a/*", "/*/b", true),
        ("/*/b/*", "/a/*", true),
        ("/*/b", "/a/*/c", false),
        ("/a/*/c", "/*/b/*", true),
        ("/a", "/a/", false),
        ("/a/b", "/a/*/c", false),
        ("/a/*/*", "/a", false),
        ("/*/x", "/*/y", false),
        ("/", "/a/*", false),
    ] {
        assert_eq!((meet(one, other), meet(other, one)), (expected, expected), "{one} {other}");
    }
}

#[test]
fn a_pattern_covers_what_it_matches() {
    let covers = |one: &str, other: &str| Pattern::parse(one).unwrap().covers(&Pattern::parse(other).unwrap());
    for (one, other) in [
        ("/*", "/*"),
        ("/*", "/"),
        ("/*", "/a"),
        ("/*", "/a/*"),
        ("/a/*", "/a"),
        ("/a/*", "/a/"),
        ("/a/*", "/a/b/*"),
        ("/a", "/a"),
        ("/a/*/b", "/a/c/b"),
        ("/a/*/b", "/a/*/b"),
        ("/a/*", "/a/*/b"),
        ("/a/*/*", "/a/b"),
        ("/*/b/*", "/a/b/c/*"),
    ] {
        assert!(covers(one, other), "{one} {other}");
    }
    for (one, other) in [("/a/*/*", "/a"), ("/a/c/b", "/a/*/b"), ("/*/b", "/*"), ("/a/*/b", "/a/*"), ("/a/*/b", "/a/b")]
    {
        assert!(!covers(one, other), "{one} {other}");
    }
    for (one, other) in
        [("/a", "/a/"), ("/a/", "/a"), ("/a", "/a/*"), ("/a/*", "/*"), ("/a/*", "/ab"), ("/", "/*"), ("/a/b/*", "/a/*")]
    {
        assert!(!covers(one, other), "{one} {other}");
    }
}

/// Returns the path of a server that decodes, merges, cuts and resolves everything it can.
fn most_eager(path: &str) -> String {
    let mut path = path.split('?').next().unwrap().to_owned();
    while let Ok(next) = percent_encoding::percent_decode_str(&path).decode_utf8().map(String::from) {
        if next == path {
            break;
        }
        path = next;
    }
    let path = path.replace('\\', "/");
    let mut kept = Vec::new();
    for segment in path.split('/').map(|segment| segment.split(';').next().unwrap()) {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Spells a character, plain or encoded up to three times.
fn spelled(character: char, depth: u8, lower: bool) -> String {
    let hex = if lower { format!("{:02x}", character as u32) } else { format!("{:02X}", character as u32) };
    match depth {
        0 => character.to_string(),
        depth => format!("%{}{hex}", "25".repeat(usize::from(depth) - 1)),
    }
}

const DETOURS: &[&str] =
    &["/", "/./", "/x/../", "//", "///", "/x/y/../../", "\\", "/;a=b/", "/.;a/", "/public/../", "/public/..;/"];
const TAILS: &[&str] = &["", "", "?q=1", ";a=b", "/..;/x/../", "#x"];

fn way_in() -> impl Strategy<Value = String> {
    let protected = prop::sample::select(vec![vec!["admin"], vec!["admin", "users"], vec!["admin", "users", "1"]]);
    let detours = prop::collection::vec(prop::sample::select(DETOURS), 3);
    let depths = prop::collection::vec((prop_oneof![4 => Just(0u8), 1 => 1..4u8], any::<bool>()), 64);
    (protected, detours, depths, prop::sample::select(TAILS)).prop_map(|(segments, detours, depths, tail)| {
        let path: String = detours.iter().zip(&segments).flat_map(|(detour, segment)| [*detour, *segment]).collect();
        let mut depths = depths.into_iter();
        let rest: String = path
            .chars()
            .skip(1)
            .map(|character| {
                let (depth, lower) = depths.next().unwrap();
                spelled(character, depth, lower)
            })
            .collect();
        format!("/{rest}{tail}")
    })
}

/// Makes targets of hostile parts, with some characters encoded.
fn hostile() -> impl Strategy<Value = String> {
    let words = prop::collection::vec(prop::sample::select(WORDS), 1..12);
    let depths = prop::collection::vec((prop_oneof![12 => Just(0u8), 1 => 1..4u8], any::<bool>()), 1..40);
    (words, depths).prop_map(|(words, depths)| {
        let path = words.concat();
        let spelled = path.chars().zip(depths.iter().cycle()).map(|(character, &(depth, lower))| match character {
            '%' | '?' => character.to_string(),
            _ if character.is_ascii() => spelled(character, depth, lower),
            _ => character.to_string(),
        });
        format!("/{}", spelled.collect::<String>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn what_passes_is_served_under_its_route_whatever_the_server(
        target in hostile(),
        steps in prop::collection::vec(any::<u8>(), 0..6),
        choices in any::<u64>(),
    ) {
        for table in TABLES {
            if let Some(disagreement) = disagreement(&routes(table), &target, &steps, choices) {
                prop_assert!(false, "{disagreement}, of {table:?}");
            }
        }
    }
}

/// Makes hostile targets with some letters in another case, or such as become others by their case.
fn hostile_in_any_case() -> impl Strategy<Value = String> {
    (hostile(), prop::collection::vec(0..8_u8, 1..40)).prop_map(|(target, choices)| {
        let spelled = target.chars().zip(choices.iter().cycle()).map(|(character, choice)| match (character, choice) {
            ('a'..='z', 0..3) => character.to_ascii_uppercase().to_string(),
            ('i', 3) => "%C4%B1".to_owned(),
            ('i', 4) => "\u{130}".to_owned(),
            ('s', 3) => "%25C5%25BF".to_owned(),
            ('a'..='z', 5) => char::from_u32(u32::from(character) - 0x61 + 0xff21).unwrap().to_string(),
            _ => character.to_string(),
        });
        spelled.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_letter_case_leads_to_a_resource_that_is_not_judged(
        target in hostile_in_any_case(),
        steps in prop::collection::vec(any::<u8>(), 0..6),
        choices in any::<u64>(),
    ) {
        for table in RESOURCES {
            if let Some(disagreement) = disagreement_in_any_case(table, &target, &steps, choices) {
                prop_assert!(false, "{disagreement}, of {table:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_random_spelling_is_never_under_a_more_public_route(target in way_in()) {
        let routes = routes(&["/admin/*", "/public/*", "/*"]);
        let found = routes.find("GET", &target);
        let leads_in = most_eager(&target).starts_with("/admin");
        prop_assert!(!leads_in || matches!(found, Ok(0) | Err(AmbiguousPath | MalformedPath)), "{}: {:?}", target, found);
    }

    #[test]
    fn what_passes_is_what_the_most_eager_server_serves(target in "(/|[ab]|%2[ef]|%252e|\\.|;|\\\\|%5c){1,12}") {
        let target = format!("/{target}");
        let routes = routes(&["/a/*", "/b/*", "/*"]);
        if let Ok(index) = routes.find("GET", &target) {
            let served = most_eager(&target);
            prop_assert_eq!(routes.find("GET", &served), Ok(index), "{} is served as {}", target, served);
        }
    }

    #[test]
    fn nothing_panics(method in "\\PC{0,8}", target in any::<String>()) {
        let _ = routes(&["/a/*", "/b"]).find(&method, &target);
        let _ = routes(&["/a/*", "/b"]).find(&method, &format!("/{target}"));
    }
}

#[test]
fn a_route_may_be_for_some_hosts() {
    let pattern = |text| Pattern::parse(text).unwrap();
    let (orders, admin, all) = (pattern("/orders/*"), pattern("/admin"), pattern("/*"));
    let hosts = |texts: &[&str]| Hosts::new(texts.iter().map(|text| Host::parse(text).unwrap()).collect());
    let get = ["GET".to_owned()];
    let routes = Routes::new([
        (Some(&orders), &get[..], hosts(&["api.example.com", "*.test.example.com"])),
        (Some(&orders), &[], hosts(&["shop.example.com"])),
        (Some(&admin), &[], hosts(&["*"])),
        (None, &[], Hosts::default()),
        (Some(&all), &[], hosts(&["api.example.com"])),
    ]);
    for (method, host, target, expected) in [
        ("GET", Some("api.example.com"), "/orders/1", Ok(0)),
        ("GET", Some("API.EXAMPLE.COM:443"), "/orders/1", Ok(0)),
        ("GET", Some("a.test.example.com"), "/orders/1", Ok(0)),
        ("POST", Some("api.example.com"), "/orders/1", Ok(4)),
        ("POST", Some("a.test.example.com"), "/orders/1", Err(NoRoute)),
        ("GET", Some("shop.example.com"), "/orders/1", Ok(1)),
        ("GET", Some("shop.example.com"), "/elsewhere", Err(NoRoute)),
        ("GET", Some("evil.example"), "/orders/1", Err(NoRoute)),
        ("GET", Some("api.example.com@evil.example"), "/orders/1", Err(UnknownHost)),
        ("GET", Some("api.example.com, evil.example"), "/orders/1", Err(UnknownHost)),
        ("GET", Some(""), "/orders/1", Err(UnknownHost)),
        ("GET", None, "/orders/1", Err(UnknownHost)),
        ("GET", None, "/%6frders/1", Err(UnknownHost)),
        ("GET", None, "/admin", Ok(2)),
        ("GET", Some("evil.example"), "/admin", Ok(2)),
        ("GET", Some("api.example.com"), "/orders/../admin", Err(AmbiguousPath)),
    ] {
        let found = routes.find_with(Request { method, host, target, overriding: Overrides::NOTHING });
        assert_eq!(found, expected, "{method} {host:?} {target}");
    }
}

#[test]
fn in_any_case_a_path_is_ambiguous_that_only_its_letters_keep_away() {
    let routes = routes(&["/Keys/files/*", "/docs/*"]).in_any_case();
    for (target, expected) in [
        ("/Keys/files", Ok(0)),
        ("/Keys/files/A%20b", Ok(0)),
        ("/keys/files", Err(AmbiguousPath)),
        ("/Keys/Files", Err(AmbiguousPath)),
        ("/docs/A", Ok(1)),
        ("/docs/A%20b/%C3%89", Ok(1)),
        ("/Docs/a", Err(AmbiguousPath)),
        ("/docs/..%2fDOCS", Err(AmbiguousPath)),
        ("/Keys/FILESx", Err(NoRoute)),
        ("/Keys/files%C4%B1", Err(AmbiguousPath)),
        // Small letters, of which ASCII alone is kept: the sign of Kelvin has become a letter, the dotless i has not.
        ("/%C4%B1%E2%84%AA%EF%BC%A1eys/files", Err(AmbiguousPath)),
        // Compatibility forms, of which ASCII is kept.
        ("/%C4%B1%EF%BC%AB%EF%BC%A5ys/files", Err(AmbiguousPath)),
        // Capitals, of which ASCII is kept, in small letters again.
        ("/Keys/f%C4%B1%EF%BD%81les", Err(AmbiguousPath)),
        ("/Keys/f%C4%B1%C4%B1les", Err(NoRoute)),
        ("/%E6%97%A5%E6%9C%AC", Err(NoRoute)),
    ] {
        assert_eq!(routes.find("GET", target), expected, "{target}");
    }
}
