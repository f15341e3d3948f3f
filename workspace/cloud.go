package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml/internal/rest"
)

// metadataURL is where clouds are listed that are not among the three that everyone knows.
const metadataURL = "https://management.azure.com/metadata/endpoints?api-version=2019-05-01"

// ServiceML is the key under which a cloud.Configuration names the audience of Azure ML's own tokens (Audience) and the
// base address of registry discovery (Endpoint). The known clouds need neither.
const ServiceML = rest.ServiceML

// cloudByName finds a cloud as the variables of az and azure-ai-ml name it.
func cloudByName(ctx context.Context, env func(string) string, o azcore.ClientOptions) (cloud.Configuration, error) {
	name, list := env("AZUREML_CURRENT_CLOUD"), env("ARM_CLOUD_METADATA_URL")
	switch {
	case name == "" && list == "", strings.EqualFold(name, "AzureCloud"):
		return cloud.AzurePublic, nil
	case strings.EqualFold(name, "AzureChinaCloud"):
		return cloud.AzureChina, nil
	case strings.EqualFold(name, "AzureUSGovernment"):
		return cloud.AzureGovernment, nil
	}
	if list == "" {
		list = metadataURL
	}
	known, err := readClouds(ctx, list, o)
	if err != nil {
		return cloud.Configuration{}, fmt.Errorf("reading the list of clouds: %w", err)
	}
	for _, c := range known {
		arm := strings.TrimSuffix(c.ResourceManager, "/")
		if name == "" && (arm == "" || !strings.Contains(list, arm)) || name != "" && !strings.EqualFold(c.Name, name) {
			continue
		}
		return c.configuration(env)
	}
	if name == "" {
		return cloud.Configuration{}, fmt.Errorf("no cloud of %s has its resource manager there", list)
	}
	return cloud.Configuration{}, fmt.Errorf("the cloud %q is not known (AZUREML_CURRENT_CLOUD)", name)
}

// cloudMetadata is an entry of ARM's list of clouds.
type cloudMetadata struct {
	Name            string `json:"name"`
	Portal          string `json:"portal"`
	ResourceManager string `json:"resourceManager"`
	Authentication  struct {
		LoginEndpoint string `json:"loginEndpoint"`
	} `json:"authentication"`
}

func (m *cloudMetadata) configuration(env func(string) string) (cloud.Configuration, error) {
	// azure-ai-ml takes what follows the second dot of the portal's address for the cloud's suffix:
	// https://portal.azure.eaglex.ic.gov gives eaglex.ic.gov.
	_, host, _ := strings.Cut(m.Portal, "://")
	host, _, _ = strings.Cut(host, "/")
	parts := strings.SplitN(host, ".", 3)
	if m.Name == "" || m.ResourceManager == "" || m.Authentication.LoginEndpoint == "" || len(parts) != 3 {
		return cloud.Configuration{}, fmt.Errorf("the entry of the cloud %q is not complete", m.Name)
	}
	region := env("REGISTRY_DISCOVERY_ENDPOINT_REGION")
	if region == "" {
		region = "west"
	}
	arm := strings.TrimSuffix(m.ResourceManager, "/")
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: m.Authentication.LoginEndpoint,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: arm, Audience: arm},
			ServiceML: {
				Audience: "https://ml.azure." + parts[2],
				Endpoint: "https://" + strings.ToLower(m.Name) + region + ".api.ml.azure." + parts[2] + "/",
			},
		},
	}, nil
}

func readClouds(ctx context.Context, address string, o azcore.ClientOptions) ([]*cloudMetadata, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("ARM_CLOUD_METADATA_URL is no address")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Scheme != "https" && (u.Scheme != "http" || err != nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("ARM_CLOUD_METADATA_URL: %s needs https", u.Host)
	}
	req, err := runtime.NewRequest(ctx, http.MethodGet, address)
	if err != nil {
		return nil, err
	}
	o.PerCallPolicies, o.PerRetryPolicies, o.APIVersion = nil, nil, ""
	resp, err := runtime.NewPipeline("azureml-go", rest.Version, runtime.PipelineOptions{}, &o).Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, runtime.NewResponseError(resp)
	}
	raw, err := runtime.Payload(resp)
	if err != nil {
		return nil, err
	}
	var one cloudMetadata
	if json.Unmarshal(raw, &one) == nil && one.Name != "" {
		return []*cloudMetadata{&one}, nil
	}
	var list []*cloudMetadata
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("%s answers no list of clouds: %w", u.Host, err)
	}
	return list, nil
}
