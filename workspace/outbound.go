package workspace

import (
	"slices"

	"github.com/azureml-go/azureml/internal/wire"
)

// OutboundRule lets something out of a managed network: one of FQDN, ServiceTag and PrivateEndpoint is set.
type OutboundRule struct {
	Name string
	// FQDN is the name of a host: pypi.org, *.example.org.
	FQDN            string
	ServiceTag      *ServiceTagRule
	PrivateEndpoint *PrivateEndpointRule
	// FQDNs are names of hosts behind the private endpoint.
	FQDNs []string
	// Category is Required, Recommended, Dependency or UserDefined, the default.
	Category string
	// Status is Active, Inactive and so on. Read only.
	Status string
	// Parents are the names of rules that this one belongs to. Read only.
	Parents []string
	// Other is a rule of a type that this version does not know.
	Other wire.Raw
}

// ServiceTagRule lets out what goes to a service of Azure.
type ServiceTagRule struct {
	Tag      string `yaml:"service_tag,required" json:"serviceTag"`
	Protocol string `yaml:"protocol,required" json:"protocol"`
	// Ports are numbers and ranges: "80, 8080-8089".
	Ports    string   `yaml:"port_ranges,required" json:"portRanges"`
	Prefixes []string `yaml:"address_prefixes" json:"addressPrefixes"`
}

// PrivateEndpointRule makes a private endpoint to a resource.
type PrivateEndpointRule struct {
	ResourceID  string `yaml:"service_resource_id,required" json:"serviceResourceId"`
	Subresource string `yaml:"subresource_target,required" json:"subresourceTarget"`
	Spark       bool   `yaml:"spark_enabled,required" json:"sparkEnabled,keep"`
}

// AfterEncodeWire says that there is no Spark: the key is required.
func (r PrivateEndpointRule) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.REST {
		m["spark_enabled"] = r.Spark
	}
	return nil
}

var ruleTypes = map[string]string{"fqdn": "FQDN", "service_tag": "ServiceTag", "private_endpoint": "PrivateEndpoint"}

// target is the rule's type in YAML, and where it leads.
func (r *OutboundRule) target() (string, any) {
	switch {
	case r.ServiceTag != nil:
		return "service_tag", r.ServiceTag
	case r.PrivateEndpoint != nil:
		return "private_endpoint", r.PrivateEndpoint
	}
	return "fqdn", r.FQDN
}

// EncodeWire writes a rule; in REST its name stands outside.
func (r OutboundRule) EncodeWire(e *wire.Encoding) (any, error) {
	if r.Other != nil && e.Spelling() == wire.REST {
		return map[string]any(r.Other), nil
	}
	typ, to := r.target()
	dest, err := e.Value(to)
	if err != nil {
		return nil, err
	}
	m := map[string]any{"type": typ, "destination": dest}
	if e.Spelling() == wire.REST {
		m["type"], m["category"] = ruleTypes[typ], "UserDefined"
		if r.Category != "" {
			m["category"] = r.Category
		}
		m = e.Tag(m, "type")
	} else {
		m["name"] = r.Name
	}
	if r.PrivateEndpoint != nil && r.FQDNs != nil {
		if m["fqdns"], err = e.Value(r.FQDNs); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ruleFile is a rule as YAML has it. The destination tells the type.
type ruleFile struct {
	Name        string   `yaml:"name,required" json:"-"`
	Destination any      `yaml:"destination,required" json:"-"`
	FQDNs       []string `yaml:"fqdns" json:"-"`
}

var ruleFileLayout = wire.Layout{IgnoreUnknown: true}

// WireLayout lets further keys pass, as the reference does.
func (ruleFile) WireLayout() *wire.Layout { return &ruleFileLayout }

// DecodeWire reads a rule.
func (r *OutboundRule) DecodeWire(d *wire.Decoding, n *wire.Node) {
	dest := n.Get("destination")
	if d.Spelling() == wire.REST {
		typ, _ := n.Get("type").Str()
		r.Category, _ = n.Get("category").Str()
		r.Status, _ = n.Get("status").Str()
		for key, into := range map[string]*[]string{"fqdns": &r.FQDNs, "parentRuleNames": &r.Parents} {
			if l := n.Get(key); !l.IsNull() {
				d.Into(l, into)
			}
		}
		switch {
		case typ == "ServiceTag" && !dest.IsNull():
			r.ServiceTag = &ServiceTagRule{}
			d.Into(dest, r.ServiceTag)
		case typ == "PrivateEndpoint" && !dest.IsNull():
			r.PrivateEndpoint = &PrivateEndpointRule{}
			d.Into(dest, r.PrivateEndpoint)
		case typ == "FQDN":
			r.FQDN, _ = dest.Str()
		default:
			if m, ok := n.Tree().(map[string]any); ok {
				r.Other = m
			}
		}
		return
	}
	var f ruleFile
	d.Into(n, &f)
	r.Name, r.FQDNs = f.Name, f.FQDNs
	at := d.At("destination")
	switch {
	case dest.IsNull(): // reported
	case dest.Kind != wire.Mapping:
		r.FQDN, _ = at.Text(dest)
	case dest.Has("service_tag"), dest.Has("protocol"), dest.Has("port_ranges"):
		r.ServiceTag = &ServiceTagRule{}
		at.Into(dest, r.ServiceTag)
	default:
		r.PrivateEndpoint = &PrivateEndpointRule{}
		at.Into(dest, r.PrivateEndpoint)
	}
	if r.PrivateEndpoint == nil {
		r.FQDNs = nil
	}
}

// OutboundRules are a list in YAML and a mapping by name in REST.
type OutboundRules []OutboundRule

// EncodeWire writes them.
func (rs OutboundRules) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() != wire.REST {
		if rs == nil {
			return wire.Omit, nil
		}
		return e.Value([]OutboundRule(rs))
	}
	m := map[string]any{}
	for _, r := range rs {
		x, err := e.Value(r)
		if err != nil {
			return nil, err
		}
		m[r.Name] = x
	}
	return m, nil
}

// DecodeWire reads them.
func (rs *OutboundRules) DecodeWire(d *wire.Decoding, n *wire.Node) {
	switch {
	case n.IsNull():
	case d.Spelling() != wire.REST:
		d.Into(n, (*[]OutboundRule)(rs))
	default:
		for _, e := range n.Entries {
			r := OutboundRule{}
			d.At(e.Key).Into(e.Value, &r)
			r.Name = e.Key
			*rs = append(*rs, r)
		}
	}
}

// own are the rules that the caller may set: the service refuses to be told its own.
func (rs OutboundRules) own() OutboundRules {
	return slices.DeleteFunc(slices.Clone(rs), func(r OutboundRule) bool { return r.Category == "Required" || r.Category == "Recommended" })
}
