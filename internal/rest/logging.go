package rest

import (
	"log/slog"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// logPolicy writes one record for each try, at debug level: what was asked, without headers, bodies and secret parameters.
type logPolicy struct {
	logger *slog.Logger
	clock  Clock
}

func (p *logPolicy) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	if !p.logger.Enabled(ctx, slog.LevelDebug) {
		return req.Next()
	}
	start := p.clock.Now()
	resp, err := req.Next()
	a := []slog.Attr{
		slog.String("method", req.Raw().Method), slog.String("url", RedactURL(req.Raw().URL)),
		slog.Duration("took", p.clock.Now().Sub(start)), slog.String("client_request_id", req.Raw().Header.Get("X-Ms-Client-Request-Id")),
	}
	if resp != nil {
		a = append(a, slog.Int("status", resp.StatusCode), slog.String("request_id", resp.Header.Get("X-Ms-Request-Id")))
	}
	if err != nil {
		a = append(a, slog.String("error", redactText(err.Error())))
	}
	p.logger.LogAttrs(ctx, slog.LevelDebug, "azureml: request", a...)
	return resp, err
}
