package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	ml "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4/fake"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/compute"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
)

type policyTokenOptions = policy.TokenRequestOptions

var farAway = time.Now().Add(time.Hour)

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

// names are those that a list yields.
func names[T any](all iter.Seq2[T, error], name func(T) string) (string, error) {
	var out []string
	for v, err := range all {
		if err != nil {
			return strings.Join(out, " "), err
		}
		out = append(out, name(v))
	}
	return strings.Join(out, " "), nil
}

func want(got, wanted any, err error) error {
	if err == nil && got != wanted {
		err = fmt.Errorf("got %v, want %v", got, wanted)
	}
	return err
}

func finish[T any](p *runtime.Poller[T], err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return p.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second})
}

const fakeWorkspace = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"

// TestOurClientOnMicrosoftsFakes lets our client talk to the fake servers of
// Microsoft's generated client: they decode our bodies and encode their answers
// by Microsoft's models, page lists, and run long-running operations.
func TestOurClientOnMicrosoftsFakes(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4").Output()
	require.NoError(t, err)
	var sent struct {
		job     *ml.CommandJob
		cluster *ml.AmlCompute
		blob    *ml.AzureBlobDatastore
		traffic map[string]*int32
	}
	f := newFakes(t, strings.TrimSpace(string(dir)), &fake.ServerFactory{
		WorkspacesServer:          fakeWorkspaces(),
		ComputeServer:             fakeComputes(&sent.cluster),
		JobsServer:                fakeJobs(&sent.job),
		DatastoresServer:          fakeDatastores(&sent.blob),
		DataVersionsServer:        fakeData(),
		ModelVersionsServer:       fakeModels(),
		EnvironmentVersionsServer: fakeEnvironments(),
		OnlineEndpointsServer:     fakeOnline(&sent.traffic),
		SchedulesServer:           fakeSchedules(),
		UsagesServer:              fakeUsages(),
	})
	ctx := t.Context()
	ws, err := workspace.New(workspace.ID{Subscription: "s", ResourceGroup: "g", Name: "w"}, noCredential{}, &workspace.Options{
		ClientOptions: azcore.ClientOptions{Transport: f, Retry: policy.RetryOptions{MaxRetries: -1}}, PollInterval: time.Millisecond,
	})
	require.NoError(t, err)

	f.check("workspaces: get", func() error {
		w, err := ws.Workspaces.Get(ctx, "w")
		if err != nil {
			return err
		}
		return want(w.Location+" "+w.DisplayName, "eastus Friend", nil)
	})
	f.check("workspaces: list, three pages", func() error {
		got, err := names(ws.Workspaces.All(ctx, nil), func(w *workspace.Workspace) string { return w.Name })
		return want(got, "a b c d", err)
	})
	f.check("workspaces: keys", func() error {
		k, err := ws.Workspaces.Keys(ctx, "w")
		if err != nil {
			return err
		}
		return want(k.StorageKey, "secret", nil)
	})
	f.check("computes: get", func() error {
		c, err := ws.Computes.Get(ctx, "cpu")
		if err != nil {
			return err
		}
		cl, ok := c.(*compute.Cluster)
		return want(fmt.Sprint(ok && cl.Size == "STANDARD_DS3_V2" && cl.MaxInstances == 4), "true", nil)
	})
	f.check("computes: list, two pages of two kinds", func() error {
		got, err := names(ws.Computes.All(ctx, nil), func(c compute.Compute) string { return fmt.Sprintf("%T", c) })
		return want(got, "*compute.Cluster *compute.Instance", err)
	})
	f.check("computes: create, a long-running operation", func() error {
		_, err := finish(ws.Computes.BeginCreate(ctx, &compute.Cluster{Name: "cpu", Size: "STANDARD_DS3_V2", MaxInstances: 4}, nil))
		if err == nil && (sent.cluster == nil || *sent.cluster.Properties.ScaleSettings.MaxNodeCount != 4 || *sent.cluster.Properties.VMSize != "STANDARD_DS3_V2") {
			err = errors.New("Microsoft's model does not have what was sent")
		}
		return err
	})
	f.check("computes: start", func() error { _, err := finish(ws.Computes.BeginStart(ctx, "ci", nil)); return err })
	f.check("computes: delete that fails at its end", func() error {
		_, err := finish(ws.Computes.BeginDelete(ctx, "busy", nil))
		var re *azcore.ResponseError
		if !errors.As(err, &re) || re.StatusCode != http.StatusConflict || !errors.Is(err, azureml.ErrConflict) {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
	f.check("jobs: get, a command job", func() error {
		r, err := ws.Jobs.Get(ctx, "j")
		if err != nil {
			return err
		}
		c, ok := r.Spec.(*jobs.CommandJob)
		if !ok || c.Command != "echo" || r.Status != jobs.Running || r.Experiment != "e" {
			return fmt.Errorf("%T %+v", r.Spec, r)
		}
		return nil
	})
	f.check("jobs: get, missing", func() error {
		_, err := ws.Jobs.Get(ctx, "none")
		if !errors.Is(err, azureml.ErrNotFound) {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
	f.check("jobs: list, every kind that Microsoft's models have", func() error {
		got, err := names(ws.Jobs.All(ctx, nil), func(r *jobs.Run) string { return fmt.Sprintf("%T", r.Spec) })
		return want(got, "*jobs.CommandJob *jobs.SweepJob *jobs.PipelineJob *jobs.SparkJob", err)
	})
	f.check("jobs: submit", func() error {
		_, err := ws.Jobs.Submit(ctx, jobs.Command("echo ${{inputs.x}}").Named("j").In(azureml.Ref("azureml:e:1")).On("cpu").Input("x", jobs.Literal(3)), nil)
		if err == nil && (sent.job == nil || *sent.job.Command != "echo ${{inputs.x}}" || *sent.job.Inputs["x"].(*ml.LiteralJobInput).Value != "3" || !strings.HasSuffix(*sent.job.EnvironmentID, "/environments/e/versions/1")) {
			err = errors.New("Microsoft's model does not have what was sent")
		}
		return err
	})
	f.check("jobs: cancel", func() error { return ws.Jobs.Cancel(ctx, "j") })
	f.check("datastores: create", func() error {
		_, err := ws.Datastores.Create(ctx, &assets.BlobStorage{Name: "d", Account: "a", Container: "c"}, nil)
		if err == nil && (sent.blob == nil || *sent.blob.AccountName != "a" || *sent.blob.ContainerName != "c") {
			err = errors.New("Microsoft's model does not have what was sent")
		}
		return err
	})
	f.check("datastores: list, two pages", func() error {
		got, err := names(ws.Datastores.All(ctx, nil), func(d assets.Datastore) string { return fmt.Sprintf("%T", d) })
		return want(got, "*assets.BlobStorage *assets.FileShare", err)
	})
	f.check("datastores: delete", func() error { return ws.Datastores.Delete(ctx, "d") })
	f.check("data: versions, two pages", func() error {
		got, err := names(ws.Data.Versions(ctx, "d", nil), func(d *assets.Data) string { return d.Version + string(d.Type) })
		return want(got, "2uri_folder 1uri_file", err)
	})
	f.check("models: get", func() error {
		m, err := ws.Models.Get(ctx, "m", "1")
		if err != nil {
			return err
		}
		return want(string(m.Type)+m.Path, "mlflow_modelazureml://jobs/j/outputs/artifacts/paths/model/", nil)
	})
	f.check("environments: get", func() error {
		e, err := ws.Environments.Get(ctx, "e", "1")
		if err != nil {
			return err
		}
		return want(e.Image, "ubuntu", nil)
	})
	f.check("online endpoints: get, keys, list", func() error {
		e, err := ws.Online.Get(ctx, "ep")
		if err != nil {
			return err
		}
		k, err := ws.Online.Keys(ctx, "ep")
		if err != nil {
			return err
		}
		got, err := names(ws.Online.All(ctx, nil), func(e *endpoints.OnlineEndpoint) string { return e.Name })
		return want(fmt.Sprint(e.ScoringURI, k.Primary, got), "https://ep/scorekey1ep1 ep2", err)
	})
	f.check("online endpoints: traffic, a long-running operation", func() error {
		_, err := finish(ws.Online.BeginUpdateTraffic(ctx, "epp", endpoints.Traffic{"blue": 100}, nil))
		if err == nil && (sent.traffic["blue"] == nil || *sent.traffic["blue"] != 100) {
			err = errors.New("Microsoft's model does not have what was sent")
		}
		return err
	})
	f.check("online endpoints: delete", func() error { _, err := finish(ws.Online.BeginDelete(ctx, "epp", nil)); return err })
	f.check("schedules: get", func() error {
		s, err := ws.Schedules.Get(ctx, "s")
		if err != nil {
			return err
		}
		return want(s.Name, "s", nil)
	})
	f.check("usages: two pages", func() error {
		got, err := names(ws.Computes.Usages(ctx, &compute.UsageOptions{Location: "eastus"}), func(u *compute.Usage) string { return fmt.Sprint(u.Current) })
		return want(got, "1 2", err)
	})
	testifies(t, &witness{Name: "armmachinelearning's fake servers", Version: "v4.0.0", What: "our client, against them", Unit: "checks", Operations: f.tried})
}

func ptr[T any](v T) *T { return &v }
