package jobs

import (
	"github.com/azureml-go/azureml/internal/wire"
)

// ExternalKind is a kind of place outside the workspace.
type ExternalKind string

// The kinds.
const (
	Database   ExternalKind = "database"
	FileSystem ExternalKind = "file_system"
)

var externalKinds = wire.SameEnum("database", "file_system")

// WireEnum lists the spellings.
func (ExternalKind) WireEnum() *wire.Enum { return externalKinds }

// External is a place outside the workspace that is reached by a connection.
type External struct {
	// Type is required.
	Type ExternalKind `yaml:"type,required" json:"sourceType"`
	// Connection is "azureml:NAME". Required.
	Connection string `yaml:"connection,required" json:"connection"`
	// Query, TableName or StoredProcedure are what is read from, or written to, a database. Imports take a query alone.
	Query                 string            `yaml:"query" json:"query"`
	TableName             string            `yaml:"table_name" json:"-"`
	StoredProcedure       string            `yaml:"stored_procedure" json:"-"`
	StoredProcedureParams []StoredParameter `yaml:"stored_procedure_params" json:"-"`
	// Path is for file systems.
	Path string `yaml:"path" json:"path"`
}

// StoredParameter is a parameter of a stored procedure.
type StoredParameter struct {
	Name  string `yaml:"name" json:"-"`
	Value string `yaml:"value,text" json:"-"`
	Type  string `yaml:"type" json:"-"`
}

// faults says which fields do not go with the kind.
func (x *External) faults() (out wire.Faults) {
	add := func(field, message string) { out = append(out, &wire.Fault{Field: field, Message: message}) }
	switch {
	case x.Type == "":
		add("type", "database or file_system is required")
	case x.Type == FileSystem && (x.Query != "" || x.TableName != "" || x.StoredProcedure != ""):
		add("type", "a query, a table and a stored procedure are for databases")
	case x.Type == Database && x.Path != "":
		add("path", "is for file systems")
	}
	if x.Connection == "" {
		add("connection", "is required: azureml:NAME")
	}
	return out
}
