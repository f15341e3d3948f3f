package workspace

import (
	"log/slog"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azureml-go/azureml/internal/rest"
)

// ID names a workspace.
type ID struct{ Subscription, ResourceGroup, Name string }

// String is the workspace's ARM id.
func (id ID) String() string { return rest.ID(id).String() }

// Clock is what waiting code asks for the time; tests bring their own.
type Clock = rest.Clock

// Options is how a workspace is reached. The zero value, and nil, is Azure's public cloud.
type Options struct {
	// ClientOptions are azcore's: cloud, transport, retry, tracing, policies. Logging.IncludeBody is not honoured, because
	// bodies carry keys and signatures. APIVersion, if set, is for all groups of operations.
	//
	// A call that is not idempotent is sent again only when the service answered 429 or 503 with Retry-After, or when
	// nothing of it was written, whatever Retry says.
	azcore.ClientOptions
	// Endpoint is the base address of the resource manager. Defaults to the cloud's. It is https, or http of a literal
	// loopback address: then it stands for all services of a local workspace, and the credential is a StaticToken or nil.
	Endpoint string
	// RegistryDiscovery is the base address at which registries are looked up. Defaults to the cloud's, or to Endpoint
	// when that is a loopback address.
	RegistryDiscovery string
	// APIVersions overrides the api-version of single groups of operations: {"jobs": "2025-04-01"}.
	APIVersions map[string]string
	// PollInterval is the wait between polls of a long-running operation where the service asks for none. Defaults to
	// what PollUntilDone is given.
	PollInterval time.Duration
	// Clock defaults to the machine's.
	Clock Clock
	// Logger gets a debug record for each request and a warning for each that is sent again, without secrets.
	// Defaults to none.
	Logger *slog.Logger
	// HashCache is the folder where the hashes of folders that were uploaded are remembered, with no names or content of theirs,
	// so that an unchanged folder is not read again. Defaults to azureml-go/hashes in os.UserCacheDir; "-" remembers none.
	HashCache string

	// Credential is what FromEnvironment uses instead of looking for one. New takes its own.
	Credential azcore.TokenCredential
	// Dir is where FromEnvironment begins to look for config.json. Defaults to the working folder.
	Dir string
}

func (o *Options) rest() *rest.Options {
	return &rest.Options{
		ClientOptions: o.ClientOptions, Endpoint: o.Endpoint, RegistryDiscovery: o.RegistryDiscovery, APIVersions: o.APIVersions,
		PollInterval: o.PollInterval, Clock: o.Clock, Logger: o.Logger, HashCache: o.HashCache,
	}
}

// StaticToken is a credential that always answers token: that of a local workspace reached over HTTP, which
// AZUREML_LOCAL_TOKEN carries. A loopback http address is given no other kind of credential.
func StaticToken(token string) azcore.TokenCredential { return rest.StaticToken(token) }
