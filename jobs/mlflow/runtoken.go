package mlflow

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A job's token ends while long jobs run: azureml-mlflow looks every 30 s and renews it when less than
// 95 s are left. So does this.
const (
	runTokenPeriod = 30 * time.Second
	runTokenMargin = 95 * time.Second
)

// runToken is the bearer token of a job.
type runToken struct {
	mu      sync.Mutex
	token   string
	expires time.Time // zero when unknown
}

func (t *runToken) authorize(_ context.Context, req *http.Request) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	req.Header.Set("Authorization", "Bearer "+t.token)
	return nil
}

func (t *runToken) due(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.expires.IsZero() && now.Add(runTokenMargin).After(t.expires)
}

func (t *runToken) set(token string, expires time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.expires = token, expires
}

// renewRunToken makes the client's token one that is renewed, when the variables name the run and the
// experiment that the service gives tokens by.
func (c *Client) renewRunToken(ctx context.Context, token string) {
	expires := tokenExpiry(token)
	if expires.IsZero() {
		if s, err := strconv.ParseFloat(os.Getenv("AZUREML_RUN_TOKEN_EXPIRY"), 64); err == nil {
			expires = time.Unix(int64(s), 0)
		}
	}
	t := &runToken{token: token, expires: expires}
	c.auth = t
	if expires.IsZero() || c.env.runID == "" || c.env.experimentID == "" && c.env.experimentName == "" || strings.EqualFold(os.Getenv("AZUREML_RUN_TOKEN_USE_AMBIENT_AUTH"), "true") {
		return
	}
	address := c.tracking.host + "/history/v1.0" + c.tracking.scope
	if c.env.experimentID != "" {
		address += "/experimentids/" + url.PathEscape(c.env.experimentID)
	} else {
		address += "/experiments/" + url.PathEscape(c.env.experimentName)
	}
	address += "/runs/" + url.PathEscape(c.env.runID) + "/token"
	c.background(ctx, func(ctx context.Context) {
		for {
			if t.due(c.clock.Now()) {
				if err := c.renew(ctx, t, address); err != nil && ctx.Err() == nil {
					c.log.LogAttrs(ctx, slog.LevelWarn, "mlflow: the run's token was not renewed", slog.String("cause", err.Error()))
				}
			}
			if c.clock.Sleep(ctx, runTokenPeriod) != nil {
				return
			}
		}
	})
}

// renew asks the run history for a new token: GET …/runs/{run}/token.
func (c *Client) renew(ctx context.Context, t *runToken, address string) error {
	var answer struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expiryTimeUtc"`
	}
	if err := c.getJSON(ctx, "renew the run's token", address, &answer); err != nil {
		return err
	}
	if answer.Token == "" {
		return fault("renew the run's token", "the answer holds none")
	}
	if answer.Expires.IsZero() {
		answer.Expires = tokenExpiry(answer.Token)
	}
	t.set(answer.Token, answer.Expires)
	return nil
}

// tokenExpiry reads exp of a JWT; zero when it is none. The signature is the service's to check.
func tokenExpiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}
	}
	var claims struct {
		Exp float64 `json:"exp"`
	}
	if json.Unmarshal(raw, &claims) != nil || claims.Exp <= 0 || claims.Exp > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(claims.Exp), 0)
}
