package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
	"github.com/stretchr/testify/require"
)

func TestRedactText(t *testing.T) {
	const secret = "c2VjcmV0LXZhbHVl"
	for _, in := range []string{
		"https://a.blob.core.windows.net/c/b?sv=2024-01-01&sig=" + secret + "%3D&se=x",
		`{"sasUri":"https://a.blob.core.windows.net/c?sv=1&sig=` + secret + `"}`,
		`{"message":"{\"sasUri\":\"https://a?sv=1\u0026sig=` + secret + `\"}"}`,
		"Authorization: Bearer " + secret,
		"SharedKey account:" + secret,
		"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=" + secret + "==;EndpointSuffix=core.windows.net",
		`{"primaryKey":"` + secret + `","secondaryKey":"` + secret + `"}`,
		`{"accessToken": "` + secret + `"}`,
		`{"client_secret":"` + secret + `"}`,
		`x {\"password\": \"` + secret + `\"} y`,
		"token eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0." + secret,
		"sig%3D" + secret,
	} {
		out := redactText(in)
		require.NotContains(t, out, secret, in)
		require.Contains(t, out, redacted)
		require.Equal(t, out, redactText(out), "redacting twice changes nothing")
	}
	for _, in := range []string{"The signature design is known", `{"code":"NotFound","message":"Workspace not found","target":"name"}`, "sigma=3"} {
		require.Equal(t, in, redactText(in))
	}
}

func FuzzRedactText(f *testing.F) {
	f.Add("https://a/b?sig=abc", "ZZZ")
	f.Add(`{"k":"v"}`, "q")
	f.Fuzz(func(t *testing.T, around, secret string) {
		secret = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, secret)
		if len(secret) < 8 || strings.Contains(around, secret) || strings.Contains("https://host/p?sv=1&sig="+redacted, secret) {
			return
		}
		if out := redactText(around + " https://host/p?sv=1&sig=" + secret + " " + around); strings.Contains(out, secret) {
			t.Fatalf("the signature is in %q", out)
		}
	})
}

// traces keeps what spans are given.
type traces struct {
	mu   sync.Mutex
	text []string
}

func (r *traces) add(x ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, fmt.Sprint(x...))
}

func (r *traces) provider() tracing.Provider {
	span := tracing.NewSpan(tracing.SpanImpl{
		End: func() {}, SetAttributes: func(a ...tracing.Attribute) { r.add(a) },
		AddEvent: func(s string, a ...tracing.Attribute) { r.add(s, a) }, SetStatus: func(s tracing.SpanStatus, d string) { r.add(s, d) },
	})
	return tracing.NewProvider(func(string, string) tracing.Tracer {
		return tracing.NewTracer(func(ctx context.Context, name string, o *tracing.SpanOptions) (context.Context, tracing.Span) {
			r.add(name, o.Attributes)
			return ctx, span
		}, nil)
	}, nil)
}

// Whatever goes wrong, on whatever plane: no secret is in the error, in slog, in azcore's log, or in a trace.
func TestNoSecretLeaves(t *testing.T) {
	const sig = "c2lnbmF0dXJlLXZhbHVl"
	const key = "ZW5kcG9pbnQta2V5LXZhbHVl"
	sas := "https://acct.blob.core.windows.net/c/b?sv=2024&skoid=oid&sig=" + sig
	azfailure := &url.Error{Op: "Get", URL: sas, Err: errors.New("proxy said: cannot reach " + sas)}
	var azcoreLog bytes.Buffer
	var mu sync.Mutex
	azlog.SetListener(func(_ azlog.Event, m string) { mu.Lock(); defer mu.Unlock(); azcoreLog.WriteString(m) })
	defer azlog.SetListener(nil)
	answers := map[string]func(*http.Request) (*http.Response, error){
		"transport": fail(azfailure),
		"500":       say(500, `{"error":{"code":"X","message":"cannot read `+sas+` with {\"primaryKey\":\"`+key+`\"}"}}`, "Location: "+sas),
		"404 text":  say(404, "no blob at "+sas, "Content-Type: text/plain"),
		"ok":        say(200, `{"primaryKey":"`+key+`"}`),
		"bad json":  say(200, `{"primaryKey":`+key),
	}
	for name, answer := range answers {
		for plane, call := range map[string]*Call{
			"arm": {Op: `x: get "y"`, Path: wsPath + "/jobs/y", Group: "jobs", Query: url.Values{"token": {key}}},
			"raw": {Op: `x: get "y"`, Plane: Raw, Path: sas},
			"key": {Op: `x: score "y"`, Method: "POST", Plane: Raw, Path: "https://e.example/score", Header: http.Header{"Authorization": {"Bearer " + key}}, Body: []byte(`{}`)},
		} {
			t.Run(name+" "+plane, func(t *testing.T) {
				var log bytes.Buffer
				var seen traces
				o := &Options{
					Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
					ClientOptions: azcore.ClientOptions{
						TracingProvider: seen.provider(), Logging: policy.LogOptions{IncludeBody: true}, Retry: policy.RetryOptions{MaxRetries: 1},
					},
				}
				c, s := newTestClient(t, o, answer)
				call := *call
				var out struct{ PrimaryKey string }
				call.Out = &out
				err := c.Do(t.Context(), &call)
				require.NotEmpty(t, s.sent)
				if name != "ok" {
					require.Error(t, err)
				}
				text := []string{fmt.Sprintf("%v %+v %#v", err, err, c.Credential() == nil), log.String(), azcoreLog.String()}
				var re *azcore.ResponseError
				if errors.As(err, &re) {
					b, jerr := re.MarshalJSON()
					require.NoError(t, jerr)
					text = append(text, re.Error(), string(b), fmt.Sprint(re.RawResponse.Request.Header, re.RawResponse.Request.URL, re.RawResponse.Header))
				}
				var ue *url.Error
				if errors.As(err, &ue) {
					text = append(text, ue.URL, ue.Error())
				}
				text = append(text, seen.text...)
				for _, s := range text {
					for _, secret := range []string{sig, key, secretToken} {
						require.NotContains(t, s, secret)
					}
				}
				require.NotEmpty(t, log.String())
				require.NotEmpty(t, seen.text)
			})
		}
	}
}
