package mlflow

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Options of a Client. The zero value speaks to an open server as MLflow's own client does.
type Options struct {
	// Transport sends the requests; *http.Client is one. Defaults to a client of its own with the TLS
	// options below.
	Transport policy.Transporter

	// Credential gets the tokens for Azure Machine Learning, and for any server behind Entra ID.
	Credential azcore.TokenCredential
	// Scope of the tokens. Defaults to https://management.azure.com/.default; other clouds have their own.
	Scope string
	// InsecureAllowCredentialWithHTTP lets Credential go to a loopback address without TLS: a local
	// workspace with a token of its own. Never set it with a credential that opens anything else.
	InsecureAllowCredentialWithHTTP bool
	// Token is sent as a bearer token, Username and Password as basic authentication. With both, basic
	// wins, as in MLflow.
	Token              string
	Username, Password string

	// RegistryURI is where registered models are. Defaults to the tracking URI.
	RegistryURI string

	// InsecureTLS accepts any certificate; ServerCertFile is a PEM bundle of authorities to trust;
	// ClientCertFile is a PEM file of the client's certificate and key. They concern the default
	// Transport only.
	InsecureTLS    bool
	ServerCertFile string
	ClientCertFile string
	// NoRedirects refuses redirects (default Transport only).
	NoRedirects bool

	Retry Retry

	// RejectLongValues makes parameters above 6000 and tags above 8000 characters an error. By default
	// they are cut, and the log says so.
	RejectLongValues bool

	// User is written to runs as mlflow.user. Defaults to Username, else the user of the process.
	User string
	// OwnRun is the run that belongs to the job this process is: its status is the service's to set.
	// FromEnvironment fills it from AZUREML_RUN_ID.
	OwnRun string

	// SpoolDir is where the metric loggers keep values that are not acknowledged. Defaults to
	// azureml-go/mlflow-spool in the user's cache folder, else in the temporary folder.
	SpoolDir string

	// ApplicationID is put in front of the User-Agent.
	ApplicationID string
	// Clock defaults to the system's.
	Clock Clock
	// Logger gets retries, truncations and what the metric loggers meet. Defaults to none.
	Logger *slog.Logger
}

// Retry says how a call that failed on the way is repeated: after connection errors and the statuses
// 408, 429, 500, 502, 503 and 504. A call that makes a new thing each time (a run, an experiment, a
// version) is repeated only where it certainly was not done; else it ends with ErrOutcomeUnknown.
type Retry struct {
	// Max is the number of repetitions. Defaults to 7; negative for none.
	Max int
	// Backoff is the first wait, doubled each time up to 120 s. Defaults to 2 s.
	Backoff time.Duration
	// Jitter is the most that is added to a wait at random. Defaults to 1 s; negative for none.
	Jitter time.Duration
	// Timeout of one attempt. Defaults to 120 s. Transfers of files are not bounded by it.
	Timeout time.Duration
	// IgnoreRetryAfter keeps to Backoff where the server asks for another wait.
	IgnoreRetryAfter bool
}

const maxBackoff = 120 * time.Second

func (r Retry) withDefaults() Retry {
	switch {
	case r.Max == 0:
		r.Max = 7
	case r.Max < 0:
		r.Max = 0
	}
	if r.Backoff <= 0 {
		r.Backoff = 2 * time.Second
	}
	switch {
	case r.Jitter == 0:
		r.Jitter = time.Second
	case r.Jitter < 0:
		r.Jitter = 0
	}
	if r.Timeout <= 0 {
		r.Timeout = 120 * time.Second
	}
	return r
}

// newTransport makes the default Transport. A pool of its own, so that Close leaves no connection.
func (o *Options) newTransport() (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.InsecureTLS && o.ServerCertFile != "" {
		return nil, errors.New("mlflow: InsecureTLS and ServerCertFile exclude each other: one verifies nothing, the other says what to trust")
	}
	config.InsecureSkipVerify = o.InsecureTLS
	if o.ServerCertFile != "" {
		pem, err := os.ReadFile(o.ServerCertFile)
		if err != nil {
			return nil, fmt.Errorf("mlflow: server certificates: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("mlflow: server certificates: %s holds no PEM certificate", o.ServerCertFile)
		}
	}
	if o.ClientCertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.ClientCertFile, o.ClientCertFile)
		if err != nil {
			return nil, fmt.Errorf("mlflow: client certificate %s: %w", o.ClientCertFile, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	t.TLSClientConfig = config
	c := &http.Client{Transport: t}
	if o.NoRedirects {
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c, nil
}
