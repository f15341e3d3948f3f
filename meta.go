package azureml

import (
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// Meta is what the service adds to every resource. It is embedded in the kinds, read only.
type Meta struct {
	// ID is the resource id.
	ID string `yaml:"id,ro" json:"id,ro"`
	// SystemData says who made and changed the resource, and when.
	SystemData *SystemData `yaml:"creation_context,ro" json:"systemData,ro"`
}

var meta = wire.Layout{At: wire.Table{"id": "/id", "creation_context": "/systemData"}}

// WireLayout says that the fields stand on the envelope.
func (Meta) WireLayout() *wire.Layout { return &meta }

// SystemData says who made and last changed a resource. The types are User, Application, ManagedIdentity or Key.
type SystemData struct {
	CreatedAt          time.Time `yaml:"created_at,ro" json:"createdAt,ro"`
	CreatedBy          string    `yaml:"created_by,ro" json:"createdBy,ro"`
	CreatedByType      string    `yaml:"created_by_type,ro" json:"createdByType,ro"`
	LastModifiedAt     time.Time `yaml:"last_modified_at,ro" json:"lastModifiedAt,ro"`
	LastModifiedBy     string    `yaml:"last_modified_by,ro" json:"lastModifiedBy,ro"`
	LastModifiedByType string    `yaml:"last_modified_by_type,ro" json:"lastModifiedByType,ro"`
}
