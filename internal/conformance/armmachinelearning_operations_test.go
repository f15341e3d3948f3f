package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	armml "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/workspace/local"
)

// headers notes how long-running calls were answered.
type headers struct{ seen map[string]bool }

func (h *headers) Do(r *policy.Request) (*http.Response, error) {
	resp, err := r.Next()
	if err != nil || r.Raw().Method == http.MethodGet {
		return resp, err
	}
	for _, name := range []string{"Azure-AsyncOperation", "Location"} {
		if resp.Header.Get(name) != "" {
			h.seen[resp.Status[:3]+" "+name] = true
		}
	}
	return resp, err
}

// TestOperationsThatTakeTime follows Microsoft's pollers through operations of
// any length: a second, and none at all.
func TestOperationsThatTakeTime(t *testing.T) {
	t.Parallel()
	for name, delay := range map[string]time.Duration{"a second": time.Second, "at once": -1} {
		t.Run(name, func(t *testing.T) {
			lw, err := local.Start(t.Context(), &local.Options{Dir: t.TempDir(), OperationDelay: delay})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, lw.Close()) })
			h := &headers{map[string]bool{}}
			f, err := armml.NewClientFactory(lw.ID().Subscription, lw.Credential(), &arm.ClientOptions{ClientOptions: policy.ClientOptions{Transport: lw.Transport(), PerRetryPolicies: []policy.Policy{h}}, DisableRPRegistration: true})
			require.NoError(t, err)
			rg, ws := lw.ID().ResourceGroup, lw.ID().Name
			computes := f.NewComputeClient()
			began := time.Now()
			p, err := computes.BeginCreateOrUpdate(t.Context(), rg, ws, "slow", armml.ComputeResource{Location: ptr("eastus"), Properties: &armml.AmlCompute{ComputeType: ptr(armml.ComputeTypeAmlCompute), Properties: &armml.AmlComputeProperties{
				VMSize: ptr("STANDARD_DS3_V2"), ScaleSettings: &armml.ScaleSettings{MaxNodeCount: ptr[int32](1)}}}}, nil)
			require.NoError(t, err)
			require.Equal(t, delay < 0, p.Done())
			c, err := computes.Get(t.Context(), rg, ws, "slow", nil)
			require.NoError(t, err)
			if time.Since(began) < delay {
				require.Equal(t, armml.ProvisioningStateCreating, *c.Properties.GetCompute().ProvisioningState)
			}
			done, err := p.PollUntilDone(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, armml.ProvisioningStateSucceeded, *done.Properties.GetCompute().ProvisioningState)
			d, err := computes.BeginDelete(t.Context(), rg, ws, "slow", armml.UnderlyingResourceActionDelete, nil)
			require.NoError(t, err)
			_, err = d.PollUntilDone(t.Context(), nil)
			require.NoError(t, err)
			k, err := f.NewWorkspacesClient().BeginResyncKeys(t.Context(), rg, ws, nil)
			require.NoError(t, err)
			_, err = k.PollUntilDone(t.Context(), nil)
			require.NoError(t, err)
			if delay > 0 {
				require.Contains(t, h.seen, "201 Azure-AsyncOperation")
				require.Contains(t, h.seen, "202 Location")
			}
		})
	}
}

// TestVersionsOfTheAPI: ARM refuses a call without an api-version, and one with an unknown one.
func TestVersionsOfTheAPI(t *testing.T) {
	t.Parallel()
	lw, err := local.Start(t.Context(), &local.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lw.Close()) })
	a := newARM(t, lw)
	o := &arm.ClientOptions{ClientOptions: policy.ClientOptions{Transport: lw.Transport(), APIVersion: "2099-01-01"}, DisableRPRegistration: true}
	a.factory, err = armml.NewClientFactory(lw.ID().Subscription, lw.Credential(), o)
	require.NoError(t, err)
	a.fails(400, "NoRegisteredProviderFound", "Workspaces.Get")
	o.APIVersion, o.PerRetryPolicies = "", []policy.Policy{unversioned{}}
	a.factory, err = armml.NewClientFactory(lw.ID().Subscription, lw.Credential(), o)
	require.NoError(t, err)
	a.fails(400, "MissingApiVersionParameter", "Workspaces.Get")
}

// unversioned takes the api-version away.
type unversioned struct{}

func (unversioned) Do(r *policy.Request) (*http.Response, error) {
	kept := []string{}
	for q := range strings.SplitSeq(r.Raw().URL.RawQuery, "&") {
		if !strings.HasPrefix(q, "api-version=") {
			kept = append(kept, q)
		}
	}
	r.Raw().URL.RawQuery = strings.Join(kept, "&")
	return r.Next()
}
