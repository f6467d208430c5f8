{{- /* The text of portcullis.toml: `config`, or that of one issuer. JSON's texts and lists are TOML's, too. */ -}}
{{- define "portcullis.toml" -}}
{{- if .Values.config -}}
{{ .Values.config | trimSuffix "\n" }}
{{- else -}}
listen = "0.0.0.0:9080"
grpc = "0.0.0.0:9090"
admin = "0.0.0.0:9081"
# The pods of the proxy. Only these peers are answered, and their descriptions of the clients' requests are trusted.
trusted_proxies = {{ toRawJson .Values.trustedProxies }}

[log]
format = "json"

[[issuers]]
issuer = {{ toRawJson .Values.issuer }}
audience = {{ toRawJson .Values.audience }}
{{- range .Values.routes }}

[[routes]]
path = {{ toRawJson .path }}
{{- with .scope }}
scope = {{ toRawJson . }}
{{- end }}
{{- end }}
{{- range .Values.headers }}

[[headers]]
name = {{ toRawJson .name }}
claim = {{ toRawJson .claim }}
{{- end }}
{{- end }}
{{- end -}}
