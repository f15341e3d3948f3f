package compute_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/compute"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// both runs a test in process and over the port.
func both(t *testing.T, test func(t *testing.T, ws *workspace.Client)) {
	for _, way := range []string{"in process", "over the port"} {
		t.Run(way, func(t *testing.T) {
			w, err := local.Start(t.Context(), nil)
			require.NoError(t, err)
			defer func() { require.NoError(t, w.Close()) }()
			ws := w.Client
			if way == "over the port" {
				url, err := w.URL()
				require.NoError(t, err)
				transport := &http.Client{Transport: &http.Transport{}}
				defer transport.CloseIdleConnections()
				ws, err = workspace.New(w.ID(), w.Credential(), &workspace.Options{Endpoint: url, ClientOptions: azcore.ClientOptions{Transport: transport}})
				require.NoError(t, err)
			}
			test(t, ws)
		})
	}
}

func TestClusters(t *testing.T) {
	both(t, func(t *testing.T, ws *workspace.Client) {
		ctx := t.Context()
		p, err := ws.Computes.BeginCreate(ctx, &compute.Cluster{
			Name: "big", Size: "STANDARD_D2", MaxInstances: 2, IdleTimeBeforeScaleDown: time.Minute, Tags: map[string]*string{"a": new("b")},
			Identity: &azureml.ResourceIdentity{Type: azureml.SystemAssigned},
		}, nil)
		require.NoError(t, err)
		made, err := p.PollUntilDone(ctx, nil)
		require.NoError(t, err)
		c := made.(*compute.Cluster)
		require.Equal(t, "STANDARD_D2", c.Size)
		require.Equal(t, 2, c.MaxInstances)
		require.Equal(t, time.Minute, c.IdleTimeBeforeScaleDown)
		require.NotEmpty(t, c.Location)
		require.NotEmpty(t, c.ID)
		require.Equal(t, "Succeeded", c.Provision().State)
		require.False(t, c.CreatedOn.IsZero())
		require.NotNil(t, c.State)

		c.MaxInstances = 3
		p, err = ws.Computes.BeginUpdate(ctx, c, nil)
		require.NoError(t, err)
		_, err = p.PollUntilDone(ctx, nil)
		require.NoError(t, err)
		got, err := ws.Computes.Get(ctx, "big")
		require.NoError(t, err)
		require.Equal(t, 3, got.(*compute.Cluster).MaxInstances)
		require.Equal(t, "b", *got.(*compute.Cluster).Tags["a"])

		names := map[string]bool{}
		for c, err := range ws.Computes.All(ctx, &compute.AllOptions{Kind: "AmlCompute"}) {
			require.NoError(t, err)
			names[c.ComputeName()] = true
		}
		require.True(t, names["big"] && names["cpu-cluster"], "%v", names)
		for _, err := range ws.Computes.Nodes(ctx, "big") {
			require.NoError(t, err)
		}

		d, err := ws.Computes.BeginDelete(ctx, "big", nil)
		require.NoError(t, err)
		_, err = d.PollUntilDone(ctx, nil)
		require.NoError(t, err)
		_, err = ws.Computes.Get(ctx, "big")
		require.ErrorIs(t, err, azureml.ErrNotFound)
		require.ErrorContains(t, err, `compute: get "big": 404`)
	})
}

func TestInstances(t *testing.T) {
	both(t, func(t *testing.T, ws *workspace.Client) {
		ctx := t.Context()
		p, err := ws.Computes.BeginCreate(ctx, &compute.Instance{Name: "mine", Size: "STANDARD_DS3_V2", IdleTimeBeforeShutdown: time.Hour}, nil)
		require.NoError(t, err)
		made, err := p.PollUntilDone(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, "Running", made.(*compute.Instance).State)
		require.Equal(t, time.Hour, made.(*compute.Instance).IdleTimeBeforeShutdown)
		state := func() string {
			c, err := ws.Computes.Get(ctx, "mine")
			require.NoError(t, err)
			return c.(*compute.Instance).State
		}
		stop, err := ws.Computes.BeginStop(ctx, "mine", nil)
		require.NoError(t, err)
		_, err = stop.PollUntilDone(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, "Stopped", state())
		start, err := ws.Computes.BeginStart(ctx, "mine", nil)
		require.NoError(t, err)
		_, err = start.PollUntilDone(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, "Running", state())
		restart, err := ws.Computes.BeginRestart(ctx, "mine", nil)
		require.NoError(t, err)
		_, err = restart.PollUntilDone(ctx, nil)
		require.NoError(t, err)
		require.Equal(t, "Running", state())
		require.NoError(t, ws.Computes.EnableSSO(ctx, "mine", false))
	})
}

func TestSizesAndUsages(t *testing.T) {
	both(t, func(t *testing.T, ws *workspace.Client) {
		ctx := t.Context()
		sizes, err := ws.Computes.Sizes(ctx, nil)
		require.NoError(t, err)
		require.NotEmpty(t, sizes)
		require.NotEmpty(t, sizes[0].Name)
		require.Positive(t, sizes[0].VCPUs)
		n := 0
		for u, err := range ws.Computes.Usages(ctx, nil) {
			require.NoError(t, err)
			require.NotEmpty(t, u.Name.Value)
			n++
		}
		require.Positive(t, n)
		for q, err := range ws.Computes.Quotas(ctx, nil) {
			require.NoError(t, err)
			require.NotNil(t, q)
		}
	})
}

func TestBadComputesAreRefusedBeforeAnythingIsSent(t *testing.T) {
	w, err := local.Start(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	for want, c := range map[string]compute.Compute{
		"name":                       &compute.Cluster{Name: "1-bad_name"},
		"max_instances":              &compute.Cluster{Name: "ok", MinInstances: 9},
		"network_settings.vnet_name": &compute.Cluster{Name: "ok", Network: &compute.Network{Subnet: "sub"}},
		"size":                       &compute.Instance{Name: "ok"},
		"idle_time_before_shutdown":  &compute.Instance{Name: "ok", Size: "STANDARD_D2", IdleTimeBeforeShutdown: 90 * time.Second},
		"compute_start_stop.0.trigger: either Cron or Recurrence": &compute.Instance{
			Name: "ok", Size: "STANDARD_D2", Schedules: &compute.Schedules{StartStop: []compute.StartStop{{Action: compute.Stop}}},
		},
		"resource_id":  &compute.Kubernetes{Name: "ok", ResourceID: "aks"},
		"ssh_settings": &compute.VirtualMachine{Name: "ok", ResourceID: "/subscriptions/x"},
		"type":         &compute.Other{},
	} {
		_, err := w.Client.Computes.BeginCreate(t.Context(), c, nil)
		require.ErrorContains(t, err, want)
		var f *azureml.Fault
		require.ErrorAs(t, err, &f)
	}
	_, err = w.Client.Computes.BeginCreate(t.Context(), nil, nil)
	require.ErrorContains(t, err, "nil")
}
