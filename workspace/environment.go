package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// FromEnvironment makes a client for the workspace that the environment names, as azure-ai-ml's MLClient.from_config and
// programs inside jobs do.
//
// The workspace is that of the nearest config.json (or .azureml/config.json, which goes first), searched upwards from
// Options.Dir; else that of AZUREML_ARM_SUBSCRIPTION, AZUREML_ARM_RESOURCEGROUP and AZUREML_ARM_WORKSPACE_NAME. Inside a
// job (AZUREML_RUN_ID), or when AZUREML_DEV_URL_MFE says where the workspace is, the variables go first: a config.json
// that came with a snapshot names another world.
//
// AZUREML_DEV_URL_MFE overrides the address of the resource manager; if it is http of a loopback address,
// AZUREML_LOCAL_TOKEN is the token, and without one none is sent. AZUREML_CURRENT_CLOUD and ARM_CLOUD_METADATA_URL
// choose the cloud, REGISTRY_DISCOVERY_ENDPOINT_URL where registries are looked up. What Options sets goes before all
// of these. The credential is Options.Credential, else azidentity's DefaultAzureCredential.
func FromEnvironment(ctx context.Context, o *Options) (*Client, error) {
	c, err := fromEnvironment(ctx, o, os.Getenv)
	if err != nil {
		return nil, fmt.Errorf("workspace: from environment: %w", err)
	}
	return c, nil
}

func fromEnvironment(ctx context.Context, given *Options, env func(string) string) (*Client, error) {
	var o Options
	if given != nil {
		o = *given
	}
	id, err := idFromEnvironment(o.Dir, env)
	if err != nil {
		return nil, err
	}
	if o.Endpoint == "" {
		o.Endpoint = env("AZUREML_DEV_URL_MFE")
	}
	if o.RegistryDiscovery == "" {
		o.RegistryDiscovery = env("REGISTRY_DISCOVERY_ENDPOINT_URL")
	}
	local := false
	if u, err := url.Parse(o.Endpoint); err == nil {
		local = u.Scheme == "http" // New refuses what is not a loopback address
	}
	if o.Cloud.ActiveDirectoryAuthorityHost == "" && !local {
		if o.Cloud, err = cloudByName(ctx, env, o.ClientOptions); err != nil {
			return nil, err
		}
	}
	cred := o.Credential
	switch {
	case cred != nil:
	case local:
		if token := env("AZUREML_LOCAL_TOKEN"); token != "" {
			cred = StaticToken(token)
		}
	default:
		if cred, err = defaultCredential(o.ClientOptions); err != nil {
			return nil, err
		}
	}
	return New(id, cred, &o)
}

func defaultCredential(o azcore.ClientOptions) (azcore.TokenCredential, error) {
	// Policies and versions are for Azure ML's calls, not for those to the authority.
	o.PerCallPolicies, o.PerRetryPolicies, o.APIVersion, o.Logging.IncludeBody = nil, nil, "", false
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: o})
}

func idFromEnvironment(dir string, env func(string) string) (ID, error) {
	id, complete, err := idFromVariables(env)
	if complete && (env("AZUREML_RUN_ID") != "" || env("AZUREML_DEV_URL_MFE") != "") {
		return id, nil
	}
	if dir == "" {
		dir = "."
	}
	path, ferr := findConfig(dir)
	switch {
	case ferr == nil:
		return readConfig(path)
	case !errors.Is(ferr, fs.ErrNotExist):
		return ID{}, ferr
	case complete:
		return id, nil
	case err != nil:
		return ID{}, err
	}
	return ID{}, errors.New("no config.json or .azureml/config.json names a workspace, here or in a folder above, and AZUREML_ARM_SUBSCRIPTION, AZUREML_ARM_RESOURCEGROUP and AZUREML_ARM_WORKSPACE_NAME are not set")
}

// idFromVariables reads the variables that jobs get. Some of them without the others are a fault.
func idFromVariables(env func(string) string) (id ID, complete bool, err error) {
	var missing []string
	for name, into := range map[string]*string{
		"AZUREML_ARM_SUBSCRIPTION": &id.Subscription, "AZUREML_ARM_RESOURCEGROUP": &id.ResourceGroup, "AZUREML_ARM_WORKSPACE_NAME": &id.Name,
	} {
		if *into = env(name); *into == "" {
			missing = append(missing, name)
		}
	}
	switch len(missing) {
	case 0:
		return id, true, nil
	case 3:
		return ID{}, false, nil
	}
	return ID{}, false, fmt.Errorf("%s is not set, but its companions are", strings.Join(slices.Sorted(slices.Values(missing)), ", "))
}
