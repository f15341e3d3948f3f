package jobs

import (
	"context"
	"fmt"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// DataImport brings data in from outside the workspace, as an asset. Client.Import does it once, a schedule regularly.
type DataImport struct {
	Schema string `yaml:"$schema" json:"-"`
	// Name is the asset's. Required.
	Name        string            `yaml:"name,required" json:"assetName"`
	Version     string            `yaml:"version,text" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties" json:"properties,keep"`
	// Type is what is written: databases give a table, file systems a folder, whatever is said here.
	Type DataType `yaml:"type" json:"-"`
	// Path is where it is written: "azureml://datastores/NAME/paths/imports/${{name}}". Required.
	Path string `yaml:"path,required" json:"dataUri"`
	// Source is where the data is. Required.
	Source External `yaml:"source,required" json:"source"`
}

var dataImport = wire.Layout{
	Name: "data import", Base: "dataImportDefinition",
	REST: wire.Fixed{"/actionType": "ImportData", "dataType": "uri_folder", "isAnonymous": false, "isArchived": false},
}

// WireLayout places the fields.
func (DataImport) WireLayout() *wire.Layout { return &dataImport }

// AfterDecodeWire says what is written.
func (i *DataImport) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.YAML {
		i.Type = i.kind()
		return
	}
	for _, f := range i.faults() {
		at := n.Get(strings.Split(f.Field, ".")...)
		if at == nil {
			at = n
		}
		d.At(f.Field).Fault(at, "%s", f.Message)
	}
}

func (i *DataImport) kind() DataType {
	if i.Source.Type == Database {
		return TypeMLTable
	}
	return TypeURIFolder
}

// The datastore whose paths are the service's own business.
const managedDatastore = "azureml://datastores/workspacemanageddatastore"

func (i *DataImport) faults() (out wire.Faults) {
	for _, f := range i.Source.faults() {
		out = append(out, &wire.Fault{Field: "source." + f.Field, Message: f.Message})
	}
	if strings.HasPrefix(i.Path, managedDatastore+"/") && strings.TrimRight(i.Path, "/") != managedDatastore {
		out = append(out, &wire.Fault{Field: "path", Message: "the managed datastore takes no path: " + managedDatastore})
	}
	return out
}

// job is the pipeline that imports the data once.
func (i *DataImport) job() (definition, error) {
	var faults wire.Faults
	if i.Name == "" {
		faults = append(faults, &wire.Fault{Field: "name", Message: "is required"})
	}
	if i.Path == "" {
		faults = append(faults, &wire.Fault{Field: "path", Message: "is required: azureml://datastores/NAME/paths/FOLDER/${{name}}"})
	}
	if faults = append(faults, i.faults()...); len(faults) > 0 {
		return nil, faults
	}
	title, path, source, force := "data_import_"+i.Name, strings.TrimRight(i.Path, "/"), i.Source, true
	if path == managedDatastore {
		path += "/paths"
	}
	if !strings.Contains(path, "${{name}}") {
		path += "/${{name}}"
	}
	description := i.Description
	if description == "" {
		description = title
	}
	props := map[string]string{"azureml.materializationAssetName": i.Name}
	for k, v := range i.Properties {
		props[k] = v
	}
	step := &DataTransferNode{
		Task: ImportData, Source: &source, Compute: "serverless", DisplayName: title, silent: true,
		Outputs: Outputs{"sink": {Type: i.kind(), Path: path, Name: i.Name, Version: i.Version}},
	}
	step.builtin()
	return &PipelineJob{
		DisplayName: title, Experiment: title, Description: description, Tags: i.Tags, Properties: props,
		Settings: PipelineSettings{ForceRerun: &force, made: fromClass}, Jobs: Nodes{title: step},
	}, nil
}

// Import brings data in from outside the workspace, by a job that registers it as an asset (Jobs_CreateOrUpdate). All with
// AllOptions.Asset lists such jobs.
func (c *Client) Import(ctx context.Context, i *DataImport, o *SubmitOptions) (*Run, error) {
	if i == nil {
		return nil, fmt.Errorf("jobs: import: there is nothing to import")
	}
	d, err := i.job()
	if err != nil {
		return nil, fmt.Errorf("jobs: import %q: %w", i.Name, err)
	}
	return c.Submit(ctx, d, o)
}
