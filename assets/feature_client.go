package assets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// BeginOptions are the choices of what begins a long-running operation.
type BeginOptions struct {
	// ResumeToken continues what an earlier poller began; nothing is sent.
	ResumeToken string
	// Upload are the choices of an upload that goes before.
	Upload *CreateOptions
}

func (o *BeginOptions) token() string {
	if o == nil {
		return ""
	}
	return o.ResumeToken
}

func (o *BeginOptions) upload() *CreateOptions {
	if o == nil {
		return nil
	}
	return o.Upload
}

// FeatureSetClient makes and finds the feature sets of a feature store. It is safe for use by many goroutines.
type FeatureSetClient struct {
	collection
	stores *DatastoreClient
}

// NewFeatureSetClient makes the client on the feature store's shared one.
func NewFeatureSetClient(c *rest.Client) *FeatureSetClient {
	return &FeatureSetClient{collection{c, "featuresets", "feature sets"}, NewDatastoreClient(c)}
}

// specIgnore is what is left out of the upload of a specification. The reference writes it into the folder as .amlignore,
// over one that is there; here nothing is written.
const specIgnore = ".*\n*.amltmp\n*.amltemp"

// BeginCreate makes a feature set, or changes one that exists (FeaturesetVersions_CreateOrUpdate), after checking its
// FeatureSetSpec.yaml and uploading the folder that it is in. s is not changed.
func (c *FeatureSetClient) BeginCreate(ctx context.Context, s *FeatureSet, o *BeginOptions) (*runtime.Poller[*FeatureSet], error) {
	if s == nil {
		return nil, errors.New("feature sets: create: the feature set is nil")
	}
	set := *s
	call := c.call(c.op("create", set.Name, set.Version), http.MethodPut, c.path(set.Name, set.Version))
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		if err := set.Validate(); err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		if err := c.prepare(ctx, call.Op, &set, o.upload()); err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		call.Body = &set
	}
	return rest.Begin(ctx, c.c, call, rest.As[FeatureSet])
}

// prepare reads the specification into the properties, and uploads it when it is here.
func (c *FeatureSetClient) prepare(ctx context.Context, op string, s *FeatureSet, o *CreateOptions) error {
	path := s.Specification.Path
	here := wire.IsLocalPath(path)
	var text []byte
	var err error
	var file string
	if here {
		dir := localPath(path)
		file = filepath.Join(dir, specFile)
		if info, statErr := os.Stat(dir); statErr != nil || !info.IsDir() {
			return azureml.Faults{{Field: "specification.path", Message: fmt.Sprintf("%s is no folder with a file %s", path, specFile)}}
		}
		text, err = os.ReadFile(file)
	} else {
		file = strings.TrimSuffix(path, "/") + "/" + specFile
		var b *box
		var at string
		if b, at, err = c.stores.locate(ctx, op, file, 0); err == nil {
			text, err = b.read(ctx, at, maxTable)
		}
	}
	if err != nil {
		return fmt.Errorf("specification: %w", err)
	}
	_, props, err := parseSpec(text, file)
	if err != nil {
		return err
	}
	all := map[string]string{"featuresetPropertiesVersion": "1", "featuresetProperties": props}
	for k, v := range s.Properties {
		if _, own := all[k]; !own {
			all[k] = v
		}
	}
	s.Properties = all
	if !here {
		return nil
	}
	ignore, err := ParseIgnore([]byte(specIgnore))
	if err != nil {
		return err
	}
	tree, hash, err := scanTree(ctx, c.c, localPath(path), &WalkOptions{Ignore: ignore}, o)
	if err != nil {
		return err
	}
	up, err := c.stores.send(ctx, op, tree, hash, "", s.Name, s.Version, o)
	if err != nil {
		return err
	}
	s.Specification.Path = longURI(c.c, up.ShortURI())
	return nil
}

// Get reads a version (FeaturesetVersions_Get).
func (c *FeatureSetClient) Get(ctx context.Context, name, version string) (*FeatureSet, error) {
	return getVersion[FeatureSet](ctx, c.collection, name, version)
}

// All yields the feature sets, without what their versions say (FeaturesetContainers_List).
func (c *FeatureSetClient) All(ctx context.Context, o *ListOptions) iter.Seq2[*FeatureSet, error] {
	return list[FeatureSet](ctx, c.collection, "", o)
}

// Versions yields the versions of a feature set (FeaturesetVersions_List).
func (c *FeatureSetClient) Versions(ctx context.Context, name string, o *ListOptions) iter.Seq2[*FeatureSet, error] {
	return list[FeatureSet](ctx, c.collection, name, o)
}

// BeginDelete removes a version (FeaturesetVersions_Delete).
func (c *FeatureSetClient) BeginDelete(ctx context.Context, name, version string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.beginDelete(ctx, name, version, o)
}

// BeginArchive hides a version from lists, its stage becomes Archived (FeaturesetVersions_Get, FeaturesetVersions_CreateOrUpdate).
func (c *FeatureSetClient) BeginArchive(ctx context.Context, name, version string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.beginStage(ctx, "archive", name, version, o)
}

// BeginRestore undoes BeginArchive; the stage becomes Development (FeaturesetVersions_Get, _CreateOrUpdate).
func (c *FeatureSetClient) BeginRestore(ctx context.Context, name, version string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.beginStage(ctx, "restore", name, version, o)
}

func (k collection) beginDelete(ctx context.Context, name, version string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	call := k.call(k.op("delete", name, version), http.MethodDelete, k.path(name, version))
	if err := checkID(call.Op, name, version); err != nil {
		return nil, err
	}
	call.ResumeToken = o.token()
	return rest.Begin(ctx, k.c, call, rest.Nothing)
}

// beginStage archives or restores a version of what has a stage. All else of the document goes back as it was.
func (k collection) beginStage(ctx context.Context, verb, name, version string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	op := k.op(verb, name, version)
	if err := checkID(op, name, version); err != nil {
		return nil, err
	}
	set := k.call(op, http.MethodPut, k.path(name, version))
	if set.ResumeToken = o.token(); set.ResumeToken == "" {
		var raw json.RawMessage
		get := k.call(op, http.MethodGet, k.path(name, version))
		get.Out = &raw
		if err := k.c.Do(ctx, get); err != nil {
			return nil, err
		}
		v, err := wire.ParseJSON(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		doc, _ := v.(map[string]any)
		props, _ := doc["properties"].(map[string]any)
		archived := props["stage"] == string(ArchivedStage)
		switch {
		case props == nil:
			return nil, fmt.Errorf("%s: the service answered no properties", op)
		case archived && verb == "archive":
			return nil, fmt.Errorf("%s: it is archived already: %w", op, azureml.ErrConflict)
		case !archived && verb == "restore":
			return nil, fmt.Errorf("%s: it is not archived: %w", op, azureml.ErrConflict)
		}
		for p, x := range props {
			if x == nil || p == "provisioningState" {
				delete(props, p)
			}
		}
		props["isArchived"], props["stage"] = !archived, string(ArchivedStage)
		if archived {
			props["stage"] = string(Development)
		}
		set.Body = map[string]any{"properties": props}
	}
	return rest.Begin(ctx, k.c, set, rest.Nothing)
}

// Backfill computes the features of a time again.
type Backfill struct {
	Name        string            `yaml:"name,required" json:"-"`
	Version     string            `yaml:"version,required" json:"-"`
	DisplayName string            `yaml:"-" json:"displayName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,text" json:"tags"`
	// Window is the time whose features are computed.
	Window   FeatureWindow            `yaml:"feature_window" json:"featureWindow"`
	Resource *MaterializationResource `yaml:"resource" json:"resource"`
	Spark    map[string]any           `yaml:"spark_configuration" json:"sparkConfiguration"`
	// Status are the parts of the window that are computed, by how far they are: None, Pending, Incomplete, Complete.
	// Defaults to None and Incomplete.
	Status []DataStatus `yaml:"data_status" json:"dataAvailabilityStatus"`
	// Job is an earlier backfill whose parts are computed again.
	Job string `yaml:"job_id" json:"jobId"`
}

// FeatureWindow is a time.
type FeatureWindow struct {
	Start time.Time `yaml:"feature_window_start" json:"featureWindowStart"`
	End   time.Time `yaml:"feature_window_end" json:"featureWindowEnd"`
}

// DataStatus says how far features are computed.
type DataStatus string

var dataStatuses = wire.SameEnum("None", "Pending", "Incomplete", "Complete")

// WireEnum lists the spellings.
func (DataStatus) WireEnum() *wire.Enum { return dataStatuses }

var backfillLayout = wire.Layout{Name: "backfill"}

// WireLayout names the kind.
func (Backfill) WireLayout() *wire.Layout { return &backfillLayout }

// BeginBackfill computes the features of a time again (FeaturesetVersions_Backfill). It ends with the names of the jobs
// that do it.
func (c *FeatureSetClient) BeginBackfill(ctx context.Context, b *Backfill, o *BeginOptions) (*runtime.Poller[[]string], error) {
	if b == nil {
		return nil, errors.New("feature sets: backfill: nothing is said")
	}
	op := c.op("backfill", b.Name, b.Version)
	if err := checkID(op, b.Name, b.Version); err != nil {
		return nil, err
	}
	call := c.call(op, http.MethodPost, rest.Join(c.path(b.Name, b.Version), "backfill"))
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		call.Body = b
	}
	return rest.Begin(ctx, c.c, call, func(raw json.RawMessage) ([]string, error) {
		out, err := rest.As[struct {
			Jobs []string `json:"jobIds"`
		}](raw)
		if err != nil {
			return nil, err
		}
		return out.Jobs, nil
	})
}

// MaterializationOperation is a job that computes features.
type MaterializationOperation struct {
	Name, DisplayName string
	// Type is RecurrentMaterialization or BackfillMaterialization.
	Type   string
	Status string
	// Window is the time whose features are computed.
	Window  FeatureWindow
	Created time.Time
	Tags    map[string]string
}

// OperationListOptions choose materialization operations.
type OperationListOptions struct {
	// Window is the time of the features; zero times do not choose.
	Window FeatureWindow
	// Tag is a tag that the jobs have.
	Tag string
}

// Operations yields the jobs that compute the features of a version (Jobs_List).
func (c *FeatureSetClient) Operations(ctx context.Context, name, version string, o *OperationListOptions) iter.Seq2[*MaterializationOperation, error] {
	if o == nil {
		o = &OperationListOptions{}
	}
	props := "azureml.FeatureSetName=" + name + ",azureml.FeatureSetVersion=" + version
	for _, w := range []struct {
		key string
		at  time.Time
	}{{"azureml.FeatureWindowStart", o.Window.Start}, {"azureml.FeatureWindowEnd", o.Window.End}} {
		if !w.at.IsZero() {
			props += "," + w.key + "=" + w.at.UTC().Format(time.RFC3339)
		}
	}
	call := &rest.Call{Op: c.op("list operations of", name, version), Group: "featureJobs", Path: c.c.Path("jobs"), Query: url.Values{"properties": {props}}}
	if o.Tag != "" {
		call.Query.Set("tag", o.Tag)
	}
	return rest.All(ctx, c.c, call, decodeOperation)
}

func decodeOperation(raw json.RawMessage) (*MaterializationOperation, error) {
	j, err := rest.As[struct {
		Name       string              `json:"name"`
		SystemData *azureml.SystemData `json:"systemData"`
		Properties struct {
			DisplayName string            `json:"displayName"`
			Status      string            `json:"status"`
			Tags        map[string]string `json:"tags"`
			Properties  map[string]string `json:"properties"`
		} `json:"properties"`
	}](raw)
	if err != nil {
		return nil, err
	}
	p := j.Properties
	m := &MaterializationOperation{Name: j.Name, DisplayName: p.DisplayName, Status: p.Status, Tags: p.Tags, Type: p.Properties["azureml.FeatureStoreJobType"]}
	if j.SystemData != nil {
		m.Created = j.SystemData.CreatedAt
	}
	for key, at := range map[string]*time.Time{"azureml.FeatureWindowStart": &m.Window.Start, "azureml.FeatureWindowEnd": &m.Window.End} {
		if s := p.Properties[key]; s != "" {
			if *at, err = time.Parse(time.RFC3339, s); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// Feature is one feature of a set.
type Feature struct {
	ID          string
	Name        string
	Type        string
	Description string
	Tags        map[string]string
}

// FeatureListOptions choose features.
type FeatureListOptions struct {
	Name, Description, Tags string
	// PageSize is how many the service puts into a page. Defaults to its own choice.
	PageSize int
}

func decodeFeature(raw json.RawMessage) (*Feature, error) {
	f, err := rest.As[struct {
		ID         string `json:"id"`
		Properties struct {
			Name        string            `json:"featureName"`
			Type        string            `json:"dataType"`
			Description string            `json:"description"`
			Tags        map[string]string `json:"tags"`
		} `json:"properties"`
	}](raw)
	if err != nil {
		return nil, err
	}
	p := f.Properties
	return &Feature{f.ID, p.Name, p.Type, p.Description, p.Tags}, nil
}

// Features yields the features of a version (Features_List).
func (c *FeatureSetClient) Features(ctx context.Context, name, version string, o *FeatureListOptions) iter.Seq2[*Feature, error] {
	call := &rest.Call{Op: c.op("list features of", name, version), Group: "features", Path: rest.Join(c.path(name, version), "features"), Query: url.Values{}}
	if o != nil {
		for key, v := range map[string]string{"featureName": o.Name, "description": o.Description, "tags": o.Tags} {
			if v != "" {
				call.Query.Set(key, v)
			}
		}
		if o.PageSize > 0 {
			call.Query.Set("pageSize", strconv.Itoa(o.PageSize))
		}
	}
	return rest.All(ctx, c.c, call, decodeFeature)
}

// Feature reads a feature of a version (Features_Get).
func (c *FeatureSetClient) Feature(ctx context.Context, name, version, feature string) (*Feature, error) {
	var raw json.RawMessage
	call := &rest.Call{Op: c.op("get feature "+strconv.Quote(feature)+" of", name, version), Group: "features", Path: rest.Join(c.path(name, version), "features", feature), Out: &raw}
	if err := c.c.Do(ctx, call); err != nil {
		return nil, err
	}
	f, err := decodeFeature(raw)
	return f, rest.WithOp(call.Op, err)
}
