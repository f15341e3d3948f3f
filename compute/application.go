package compute

import (
	"fmt"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// Application is a web application in a container on an instance.
type Application struct {
	Name  string           `yaml:"name,required" json:"name"`
	Image ApplicationImage `yaml:"image" json:"image"`
	// Endpoints are the application's ports, 1026 to 65534.
	Endpoints   []ApplicationPort `yaml:"endpoints" json:"endpoints"`
	Environment Variables         `yaml:"environment_variables" json:"environmentVariables"`
	Mounts      []ApplicationBind `yaml:"bind_mounts" json:"volumes"`
	Type        ApplicationType   `yaml:"type" json:"type,default=docker"`
}

var application = wire.Layout{REST: wire.Fixed{"docker/privileged": true}}

// WireLayout adds what the service wants of every application.
func (Application) WireLayout() *wire.Layout { return &application }

// AfterDecodeWire looks at the ports.
func (a *Application) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	for i, p := range a.Endpoints {
		for name, port := range map[string]int{"target": p.Target, "published": p.Published} {
			if port <= 1025 || port >= 65535 {
				d.At("endpoints").At(fmt.Sprint(i)).At(name).Fault(n.Get("endpoints"), "is %d; a port between 1026 and 65534 is wanted", port)
			}
		}
	}
}

// ApplicationType is docker.
type ApplicationType string

var applicationTypes = wire.SameEnum("docker")

// WireEnum is the table of spellings.
func (ApplicationType) WireEnum() *wire.Enum { return applicationTypes }

// ApplicationImage is a container image.
type ApplicationImage struct {
	Reference string `yaml:"reference" json:"reference"`
}

var applicationImage = wire.Layout{REST: wire.Fixed{"type": "docker"}}

// WireLayout adds the image's type.
func (ApplicationImage) WireLayout() *wire.Layout { return &applicationImage }

// ApplicationPort publishes a container's port.
type ApplicationPort struct {
	Target    int `yaml:"target" json:"target"`
	Published int `yaml:"published" json:"published"`
}

var applicationPort = wire.Layout{REST: wire.Fixed{"name": "connect", "protocol": "http"}}

// WireLayout adds the port's name and protocol.
func (ApplicationPort) WireLayout() *wire.Layout { return &applicationPort }

// ApplicationBind mounts a folder of the instance in the container.
type ApplicationBind struct {
	Source string `yaml:"source" json:"source"`
	Target string `yaml:"target" json:"target"`
}

var applicationBind = wire.Layout{REST: wire.Fixed{"type": "bind", "readOnly": false}}

// WireLayout adds the mount's type.
func (ApplicationBind) WireLayout() *wire.Layout { return &applicationBind }

// Variables are environment variables, which REST wraps in objects.
type Variables map[string]string

// EncodeWire wraps them.
func (v Variables) EncodeWire(e *wire.Encoding) (any, error) {
	if v == nil {
		return wire.Omit, nil
	}
	m := make(map[string]any, len(v))
	for k, s := range v {
		if e.Spelling() == wire.REST {
			m[k] = map[string]any{"type": "local", "value": s}
		} else {
			m[k] = s
		}
	}
	return m, nil
}

// DecodeWire unwraps them.
func (v *Variables) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		d.Into(n, (*map[string]string)(v))
		return
	}
	*v = Variables{}
	for _, e := range n.Entries {
		(*v)[e.Key], _ = e.Value.Get("value").Str()
	}
}

// SetupScripts are run on an instance.
type SetupScripts struct {
	// Creation is run once, Startup at each start.
	Creation *Script `yaml:"creation_script" json:"creationScript"`
	Startup  *Script `yaml:"startup_script" json:"startupScript"`
}

// Script is a file in the workspace's storage and its arguments, or a command alone.
type Script struct {
	Path    string `yaml:"path" json:"scriptData"`
	Command string `yaml:"command" json:"scriptArguments"`
	// Timeout is in whole minutes.
	Timeout time.Duration `yaml:"timeout_minutes,minutes" json:"timeout"`
}

var script = wire.Layout{REST: wire.Fixed{"scriptSource": "workspaceStorage"}}

// WireLayout adds where the script is.
func (Script) WireLayout() *wire.Layout { return &script }

// AfterEncodeWire writes the timeout as the service wants it: 20m.
func (s Script) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() == wire.REST && s.Timeout > 0 {
		m["timeout"] = fmt.Sprintf("%dm", s.Timeout/time.Minute)
	}
	return nil
}

// AfterDecodeWire reads it so.
func (s *Script) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		return
	}
	text, _ := n.Get("timeout").Str()
	if v, err := time.ParseDuration(strings.ToLower(text)); err == nil {
		s.Timeout = v
	}
}
