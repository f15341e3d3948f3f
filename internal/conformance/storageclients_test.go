package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	armml "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/workspace/local"
)

// storage is a local workspace's storage account, and what Microsoft's Go
// clients did with it.
type storage struct {
	*testing.T
	lw                *local.Workspace
	account, key, url string // url is that of the loopback port
	tried             map[string]*operation
}

func newStorage(t *testing.T) *storage {
	t.Helper()
	lw, err := local.Start(t.Context(), &local.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lw.Close()) })
	f, err := armml.NewClientFactory(lw.ID().Subscription, lw.Credential(), &arm.ClientOptions{ClientOptions: policy.ClientOptions{Transport: lw.Transport()}, DisableRPRegistration: true})
	require.NoError(t, err)
	datastores := f.NewDatastoresClient()
	d, err := datastores.Get(t.Context(), lw.ID().ResourceGroup, lw.ID().Name, "workspaceblobstore", nil)
	require.NoError(t, err)
	secrets, err := datastores.ListSecrets(t.Context(), lw.ID().ResourceGroup, lw.ID().Name, "workspaceblobstore", nil)
	require.NoError(t, err)
	url, err := lw.URL()
	require.NoError(t, err)
	s := &storage{T: t, lw: lw, account: *d.Properties.(*armml.AzureBlobDatastore).AccountName, key: *secrets.DatastoreSecretsClassification.(*armml.AccountKeyDatastoreSecrets).Key, tried: map[string]*operation{}}
	s.url = url + "/" + s.account
	return s
}

// note writes down how an operation ended; a failure stays, and what passed once has passed.
func (s *storage) note(name, outcome, detail string) {
	s.Helper()
	o := s.tried[name]
	if o == nil {
		o = &operation{Name: name}
		s.tried[name] = o
	}
	o.Calls++
	rank := map[string]int{"": -1, refused: 0, passed: 1, failed: 2}
	if rank[outcome] > rank[o.Outcome] {
		o.Outcome, o.Detail = outcome, detail
	}
	if outcome == failed {
		s.Errorf("%s: %s", name, detail)
	}
}

// ok is a call that must succeed.
func (s *storage) ok(name string, err error) {
	s.Helper()
	if err != nil {
		s.note(name, failed, err.Error())
		return
	}
	s.note(name, passed, "")
}

// fails is a call that must fail with this code.
func (s *storage) fails(code, name string, err error) {
	s.Helper()
	if re, ok := errors.AsType[*azcore.ResponseError](err); !ok || re.ErrorCode != code {
		s.note(name, failed, fmt.Sprintf("%s was expected, not %v", code, err))
		return
	}
	s.note(name, passed, "")
}

// refuses is a call that the local workspace does not carry out, and says so.
func (s *storage) refuses(name string, err error) {
	s.Helper()
	re, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok || re.StatusCode != 501 && re.StatusCode != 400 {
		s.note(name, failed, fmt.Sprintf("a refusal by name was expected, not %v", err))
		return
	}
	for line := range strings.Lines(re.Error()) {
		if strings.Contains(line, "local workspace") {
			line = strings.NewReplacer("<Message>", "", "</Message>", "").Replace(strings.TrimSpace(line))
			s.note(name, refused, line)
			return
		}
	}
	s.note(name, failed, "the refusal does not name the local workspace: "+re.Error())
}

// want notes a fault of an answer.
func (s *storage) want(name string, right bool, format string, args ...any) {
	s.Helper()
	if !right {
		s.note(name, failed, fmt.Sprintf(format, args...))
	}
}

// equal notes an answer that is not as it should be.
func (s *storage) equal(name string, want, got any) {
	s.Helper()
	s.want(name, reflect.DeepEqual(want, got), "%v was expected, not %v", want, got)
}

// operations are all methods of these clients, each as it ended.
func (s *storage) operations(clients []any, reasons map[string]string) []operation {
	var out []operation
	known := map[string]bool{}
	for _, c := range clients {
		t := reflect.TypeOf(c)
		for i := range t.NumMethod() {
			name := path.Base(t.Elem().PkgPath())
			if of := strings.TrimSuffix(t.Elem().Name(), "Client"); of != "" {
				name += "." + of
			}
			name += "." + t.Method(i).Name
			known[name] = true
			o := s.tried[name]
			switch {
			case o != nil && reasons[name] != "":
				o = &operation{Name: name, Outcome: failed, Detail: "it is called, and listed as not called"}
			case o != nil:
			case reasons[name] != "":
				o = &operation{Name: name, Outcome: notCalled, Detail: reasons[name]}
			default:
				o = &operation{Name: name, Outcome: failed, Detail: "it is neither called nor listed with a reason"}
			}
			out = append(out, *o)
		}
	}
	for name := range s.tried {
		require.True(s, known[name], "%s is no method of the clients", name)
	}
	return out
}

// body is what an upload sends.
func body(text string) io.ReadSeekCloser { return streaming.NopCloser(strings.NewReader(text)) }

// read is what a download brings.
func read(t *testing.T, r io.ReadCloser) string {
	t.Helper()
	if r == nil {
		return ""
	}
	var b bytes.Buffer
	_, err := b.ReadFrom(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	return b.String()
}

// allPages are all pages of a list.
func allPages[T any](t *testing.T, p *runtime.Pager[T]) ([]T, error) {
	t.Helper()
	var all []T
	for p.More() {
		page, err := p.NextPage(t.Context())
		if err != nil {
			return all, err
		}
		all = append(all, page)
	}
	return all, nil
}

// soon is when signatures end.
func soon() time.Time { return time.Now().Add(time.Hour) }

// moduleVersion is the version of a Go module that the witnesses are built with.
func moduleVersion(t *testing.T, module string) string {
	t.Helper()
	b, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(b))
}
