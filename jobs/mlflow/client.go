package mlflow

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Client is a tracking server and its model registry. It is safe for concurrent use.
type Client struct {
	Experiments  *Experiments
	Runs         *Runs
	Models       *Models
	Versions     *Versions
	LoggedModels *LoggedModels

	tracking, registry *target
	transport          policy.Transporter
	own                *http.Client // the transport when it was made here
	auth               authorizer
	retries            Retry
	clock              Clock
	log                *slog.Logger
	agent              string
	user               string
	keepLong           bool
	spoolDir           string
	ownRun             string
	env                environment

	closeOnce sync.Once
	closed    chan struct{}
	running   sync.WaitGroup
}

// Version is sent in the User-Agent.
const Version = "0.1.0"

// New makes a client for a tracking server: azureml://… of a workspace, http(s)://… of `mlflow server`,
// databricks://HOST. It makes no call. A nil Options is an open server.
func New(uri string, o *Options) (*Client, error) {
	if o == nil {
		o = &Options{}
	}
	tracking, err := parseTarget(uri)
	if err != nil {
		return nil, err
	}
	models := tracking
	if o.RegistryURI != "" {
		if models, err = parseTarget(o.RegistryURI); err != nil {
			return nil, err
		}
	}
	c := &Client{
		tracking: tracking, registry: models, transport: o.Transport, retries: o.Retry.withDefaults(),
		clock: o.Clock, log: o.Logger, keepLong: o.RejectLongValues, spoolDir: o.SpoolDir, ownRun: o.OwnRun,
		closed: make(chan struct{}), user: o.User,
	}
	if c.clock == nil {
		c.clock = systemClock{}
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.transport == nil {
		if c.own, err = o.newTransport(); err != nil {
			return nil, err
		}
		c.transport = c.own
	}
	if c.user == "" {
		c.user = o.Username
	}
	c.agent = "azureml-go-mlflow/" + Version
	if o.ApplicationID != "" {
		c.agent = o.ApplicationID + " " + c.agent
	}
	c.auth = o.newAuthorizer(c.clock)
	c.Experiments, c.Runs = &Experiments{c}, &Runs{c}
	c.Models, c.Versions, c.LoggedModels = &Models{c}, &Versions{c}, &LoggedModels{c}
	return c, nil
}

// URI is the tracking URI without its query.
func (c *Client) URI() string { return c.tracking.uri }

// Close ends the renewal of the run's token and the connections of the default Transport. Loggers are
// closed by their own Close.
func (c *Client) Close() error {
	c.closeOnce.Do(func() { close(c.closed) })
	c.running.Wait()
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
	return nil
}

// background runs f until the client closes or ctx ends.
func (c *Client) background(ctx context.Context, f func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	c.running.Go(func() {
		defer cancel()
		f(ctx)
	})
	c.running.Go(func() {
		select {
		case <-c.closed:
			cancel()
		case <-ctx.Done():
		}
	})
}

// userName is who runs are said to be by.
func (c *Client) userName() string {
	if c.user != "" {
		return c.user
	}
	for _, name := range []string{"LOGNAME", "USER", "LNAME", "USERNAME"} { // as Python's getpass
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// spool is the folder of the metric loggers' files.
func (c *Client) spool() string {
	if c.spoolDir != "" {
		return c.spoolDir
	}
	return DefaultSpoolDir()
}

// DefaultSpoolDir is where metric loggers keep unacknowledged values unless Options.SpoolDir is set.
func DefaultSpoolDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "azureml-go", "mlflow-spool")
}
