//! The remedy at each provider, in the words of its settings.

use super::provider::{self, Provider, audiences};
use crate::{
    base64url,
    explain::walk::Walk,
    json::{self, Object, Value},
};

/// Audiences of Microsoft Graph. Only Graph can verify tokens for them.
const GRAPH: [&str; 3] =
    ["00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com", "https://graph.microsoft.us"];

const OF_GRAPH: &str = "this token is for Microsoft Graph, and only Graph can verify it: have the client ask for a \
                        scope of this API instead, as `api://CLIENT-ID/.default`";

const OF_OKTAS_ORG: &str = "this token is of Okta's org authorization server (its issuer has no `/oauth2/…`), which is for \
                            Okta's own APIs: have the client ask a custom authorization server, as \
                            https://DOMAIN.okta.com/oauth2/default, and write that one as issuer";

const OF_GOOGLE: &str = "Google's access tokens are opaque, and for Google's APIs: for an API of your own let clients send \
                         Google's ID token, with the OAuth client ID as the audience here, or use an authorization server \
                         of your own";

const AUTH0_WITHOUT_AUDIENCE: &str = "the client asked Auth0 for no audience: it has to send the parameter `audience`, the \
                                      Identifier of this API (Applications > APIs), when it asks for the token";

/// The hint for a token that its issuer makes for its own APIs: no setting here lets it pass.
pub(super) fn not_for_us(walk: &Walk<'_>) -> Option<&'static str> {
    match provider::of(walk)? {
        Provider::Entra if is_for_graph(walk) => Some(OF_GRAPH),
        Provider::Okta if is_of_oktas_org(walk) => Some(OF_OKTAS_ORG),
        _ => None,
    }
}

/// Tells whether a token is for Graph, by its audience or by `nonce` in the header, which only Graph can verify.
fn is_for_graph(walk: &Walk<'_>) -> bool {
    let has_nonce = walk.header.as_ref().is_some_and(|header| header.contains_key("nonce"));
    let is_graph = |audience: &str| GRAPH.contains(&audience.trim_end_matches('/'));
    has_nonce || walk.claims.as_ref().is_some_and(|claims| audiences(claims).any(is_graph))
}

fn is_of_oktas_org(walk: &Walk<'_>) -> bool {
    let issuer = walk.claims.as_ref().and_then(|claims| claims.get("iss")?.as_str());
    issuer.is_some_and(|issuer| !issuer.contains("/oauth2/"))
}

/// The hint for a provider's way to name an API in `aud`.
pub(super) fn audience(walk: &Walk<'_>) -> Option<String> {
    let claims = walk.claims.as_ref()?;
    let hint = match provider::of(walk)? {
        Provider::Auth0 if audiences(claims).any(|audience| audience.ends_with("/userinfo")) => AUTH0_WITHOUT_AUDIENCE,
        Provider::Auth0 => {
            "Auth0 writes into `aud` what the client asks for as `audience`: it has to be the Identifier of this API \
             (Applications > APIs)"
        }
        Provider::Cognito if !claims.contains_key("aud") => {
            "Cognito's access tokens have no `aud`, but the app client in `client_id`: expect no audience of this issuer, and \
             ask for the app client by a claim rule on `client_id`"
        }
        Provider::Cognito => "Cognito writes into `aud` the resource that the client asked for: it has to be this API",
        Provider::Duende => {
            "Duende IdentityServer names an API in `aud` only if an ApiResource of that name has the scope that was asked \
             for: add the scope to `Scopes` of this API's ApiResource"
        }
        Provider::Entra => return Some(at_entra(walk, claims)),
        Provider::GitHubActions => {
            "GitHub writes the URL of the repository's owner into `aud` unless the job asks for another: \
             `core.getIDToken('AUDIENCE')`, or `&audience=AUDIENCE` behind $ACTIONS_ID_TOKEN_REQUEST_URL"
        }
        // Only its ID tokens are JWTs.
        Provider::Google => {
            "Google writes into `aud` of an ID token the OAuth client that the user signed in at: expect the ID of each client \
             of yours"
        }
        Provider::Keycloak => return Some(at_keycloak(walk, claims)),
        Provider::Kubernetes => {
            "a service account's token is for the API server unless another audience is asked for: project one with \
             `serviceAccountToken.audience`, or `kubectl create token NAME --audience=AUDIENCE`"
        }
        Provider::Okta => {
            "Okta writes into `aud` the Audience of the authorization server (Security > API > Authorization Servers), \
             `api://default` for the default one: expect that audience"
        }
        Provider::Ping => {
            "PingOne writes into `aud` the resource whose scopes were asked for: add a custom resource with this API as its \
             Audience (Applications > Resources), grant the client its scopes, and have it ask for one"
        }
        Provider::Spiffe => {
            "a JWT-SVID is for the audience that the workload asks its agent for: \
             `spire-agent api fetch jwt -audience AUDIENCE`"
        }
        Provider::Zitadel => {
            "Zitadel writes a project into `aud` if the client asks for it by the scope \
             `urn:zitadel:iam:org:project:id:PROJECT-ID:aud`: expect the project's ID"
        }
        Provider::AdFs => {
            "AD FS writes into `aud` the identifier of the Web API that the client asks for by `resource`, or before the scope: \
             without it the token is for AD FS itself"
        }
        Provider::Firebase => {
            "Firebase writes the project's ID into `aud`: expect that of the project that the client uses"
        }
        Provider::Supabase => {
            "Supabase writes `authenticated` into `aud` of a signed-in user's token; a token without `aud` is one of the \
             project's keys"
        }
        Provider::Spring => {
            "Spring Authorization Server writes the client's ID into `aud`: add this API by a bean of the type \
             OAuth2TokenCustomizer<JwtEncodingContext>"
        }
    };
    Some(hint.to_owned())
}

fn at_keycloak(walk: &Walk<'_>, claims: &Object) -> String {
    let client = claims.get("azp").and_then(Value::as_str);
    let is_expected = walk.audiences().iter().any(|audience| Some(audience.as_str()) == client);
    let begins = match claims.get("aud") {
        _ if is_expected => "the expected audience is in `azp`, which is the client that asked and not the API",
        None => "Keycloak names in `aud` by itself only clients that the user has roles of",
        Some(_) if audiences(claims).any(|audience| audience == "account") => {
            "`account` is Keycloak's own account API, whose roles each user has"
        }
        Some(_) => "Keycloak adds to `aud` by mappers only",
    };
    format!(
        "{begins}: in a client scope of the client add an audience mapper (type Audience), with this API as Included Client \
         Audience, or as Included Custom Audience if it is no client of the realm, and `Add to access token` on"
    )
}

fn at_entra(walk: &Walk<'_>, claims: &Object) -> String {
    let bare = |audience: &str| audience.trim_start_matches("api://").trim_end_matches('/').to_ascii_lowercase();
    let same = |theirs: &str| walk.audiences().iter().any(|ours| bare(ours) == bare(theirs));
    if audiences(claims).any(same) {
        return "Entra ID writes the client ID alone into `aud` of v2.0 tokens, and the Application ID URI (`api://…`) into \
                that of v1.0 tokens: expect both, or the form in the token"
            .to_owned();
    }
    "Entra ID issues a token for the one API whose scope was asked for: have the client ask for a scope of this API, as \
     `api://CLIENT-ID/.default`"
        .to_owned()
}

/// The provider's setting that has it write `typ: at+jwt`.
pub(super) fn access_token_type(walk: &Walk<'_>) -> Option<&'static str> {
    match provider::of(walk)? {
        Provider::Keycloak => {
            Some("in Keycloak switch on `Use \"at+jwt\" as access token header type` of the client (Advanced)")
        }
        Provider::Auth0 => {
            Some("in Auth0 set the JSON Web Token Profile of this API to RFC 9068 (Applications > APIs)")
        }
        _ => None,
    }
}

/// The likely origin of an opaque token that is none of the API's.
pub(super) fn opaque(walk: &Walk<'_>) -> Option<&'static str> {
    let starts = |prefix: &str| walk.token.starts_with(prefix.as_bytes());
    if starts("ya29.") {
        return Some(OF_GOOGLE);
    }
    if ["gho_", "ghp_", "ghs_", "ghu_", "github_pat_"].into_iter().any(starts) {
        return Some("this is a token for GitHub's own API: only GitHub can read it");
    }
    (walk.claims.is_none() && provider::of(walk) == Some(Provider::Auth0)).then_some(
        "this is an opaque token, as Auth0 gives out where the client asks for no audience: it has to send the parameter \
         `audience`, the Identifier of this API (Applications > APIs), when it asks for the token",
    )
}

/// The likely origin of an encrypted token: its header can be read, and only that.
pub(super) fn encrypted(walk: &Walk<'_>) -> Option<String> {
    let first = walk.token.split(|byte| *byte == b'.').next()?;
    let header = json::object(base64url::decode(first)?).ok()?;
    let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("alg"), text("enc")) {
        ("dir", "A256GCM") if header.contains_key("iss") => {
            Some(format!("an encrypted token (JWE), for Auth0 alone; {AUTH0_WITHOUT_AUDIENCE}"))
        }
        ("RSA-OAEP", "A256GCM") if text("cty") == "JWT" => Some(
            "an encrypted token (JWE), as Cognito's refresh tokens are: the client has to send its access token, and this \
             to the token endpoint alone"
                .to_owned(),
        ),
        _ => None,
    }
}

/// The way to grant rights at providers whose tokens have no scope.
pub(super) fn without_scope(walk: &Walk<'_>) -> Option<&'static str> {
    Some(match provider::of(walk)? {
        Provider::Firebase => {
            "Firebase's tokens have no scope: set a custom claim for the user (Admin SDK), and ask for it by a claim rule"
        }
        Provider::GitHubActions => {
            "the ID tokens of GitHub have no scope: ask for `sub`, `repository_owner_id` and the like by claim rules"
        }
        Provider::Google => "Google's ID tokens have no scope: ask for `hd`, `email_verified` or `sub` by a claim rule",
        Provider::Kubernetes | Provider::Spiffe => {
            "the tokens of workloads have no scope: ask for the workload by a claim rule on `sub`"
        }
        Provider::Supabase => {
            "Supabase's tokens have no scope: ask for `role`, `aal` or a value in `/app_metadata` by a claim rule"
        }
        Provider::Zitadel => {
            "Zitadel grants roles of a project, not scopes: ask for `/urn:zitadel:iam:org:project:PROJECT-ID:roles/ROLE` by a \
             claim rule, and have the project assert its roles"
        }
        _ => return None,
    })
}
