package wire_test

import (
	. "github.com/azureml-go/azureml/internal/wire"
	"strings"
	"time"
)

func yamlValues(s Spelling) bool { return s == YAML || s == Spec }

// The worst of the real kinds, declared as their packages declare them.

type tier string

var tiers = PascalEnum("low_priority", "dedicated")

func (tier) WireEnum() *Enum { return tiers }

type meta struct {
	Name     string             `yaml:"name,required" json:"name,ro"`
	ID       string             `yaml:"id,ro" json:"id,ro"`
	Location string             `yaml:"location" json:"location"`
	Tags     map[string]*string `yaml:"tags" json:"tags"`
}

var metaLayout = Layout{At: Table{"name": "/name", "id": "/id", "location": "/location", "tags": "/tags"}}

func (meta) WireLayout() *Layout { return &metaLayout }

type cluster struct {
	meta
	Description string        `yaml:"description" json:"description"`
	Size        string        `yaml:"size" json:"vmSize,default=STANDARD_DS3_V2"`
	Tier        tier          `yaml:"tier" json:"vmPriority"`
	Min         int           `yaml:"min_instances" json:"min,keep"`
	Max         *int          `yaml:"max_instances" json:"max,default=4"`
	Idle        time.Duration `yaml:"idle_time_before_scale_down,seconds" json:"idle,default=PT2M"`
	SSH         *ssh          `yaml:"ssh_settings" json:"userAccountCredentials"`
	PublicIP    *bool         `yaml:"enable_node_public_ip" json:"enableNodePublicIp,default=true"`
	State       string        `yaml:"provisioning_state,ro" json:"state,ro"`
	doc         Document
}

type ssh struct {
	User     string `yaml:"admin_username,required" json:"adminUserName"`
	Password string `yaml:"admin_password" json:"adminUserPassword"`
}

var clusterLayout = Layout{
	Name: "AmlCompute cluster",
	Base: "properties/properties",
	At: Table{
		"description": "/properties/description", "min_instances": "scaleSettings/minNodeCount", "max_instances": "scaleSettings/maxNodeCount",
		"idle_time_before_scale_down": "scaleSettings/nodeIdleTimeBeforeScaleDown", "provisioning_state": "/properties/provisioningState",
	},
	YAML: Fixed{"type": "amlcompute"},
	REST: Fixed{"/properties/computeType": "AmlCompute", "osType": "Linux"},
}

func (cluster) WireLayout() *Layout        { return &clusterLayout }
func (c *cluster) WireDocument() *Document { return &c.doc }
func (cluster) compute()                   {}

func (c cluster) AfterEncodeWire(e *Encoding, m map[string]any) error {
	if e.Spelling() == REST {
		m["remoteLoginPortPublicAccess"] = "NotSpecified"
	}
	return nil
}

type otherCompute struct {
	Raw Raw `yaml:"-" json:"."`
	doc Document
}

func (otherCompute) compute()                   {}
func (c *otherCompute) WireDocument() *Document { return &c.doc }

type vm struct {
	meta
	ResourceID string `yaml:"resource_id,required" json:"resourceId"`
	doc        Document
}

var vmLayout = Layout{Name: "virtual machine", Base: "properties", YAML: Fixed{"type": "virtualmachine"}, REST: Fixed{"computeType": "VirtualMachine"}}

func (vm) WireLayout() *Layout        { return &vmLayout }
func (c *vm) WireDocument() *Document { return &c.doc }
func (vm) compute()                   {}

type compute interface{ compute() }

var _ = RegisterSum[compute](&Sum{
	Name: "compute", YAML: "type", REST: "properties/computeType",
	Arms:    []Arm{ArmOf[cluster]("amlcompute", "AmlCompute"), ArmOf[vm]("virtualmachine", "VirtualMachine")},
	Unknown: func() any { return new(otherCompute) },
})

// A datastore: credentials are a union known by its keys in YAML, with nested secrets in REST.

type blobStore struct {
	Name        string            `yaml:"name,required" json:"name,ro"`
	Account     string            `yaml:"account_name,required" json:"accountName"`
	Container   string            `yaml:"container_name,required" json:"containerName"`
	Endpoint    string            `yaml:"endpoint" json:"endpoint,default=core.windows.net"`
	Credentials credentials       `yaml:"credentials" json:"credentials"`
	Tags        map[string]string `yaml:"tags" json:"tags"`
	doc         Document
}

var blobStoreLayout = Layout{Name: "blob datastore", Base: "properties", At: Table{"name": "/name"}, YAML: Fixed{"type": "azure_blob"}, REST: Fixed{"datastoreType": "AzureBlob"}}

func (blobStore) WireLayout() *Layout        { return &blobStoreLayout }
func (b *blobStore) WireDocument() *Document { return &b.doc }

type credentials struct {
	Key   *accountKey       `yaml:"account_key" json:"AccountKey"`
	SAS   *sasToken         `yaml:"sas_token" json:"Sas"`
	SP    *servicePrincipal `yaml:"service_principal" json:"ServicePrincipal"`
	None  *noCredentials    `yaml:"none" json:"None"`
	Other Raw
}

var credentialsUnion = Union{REST: "credentialsType"}

func (credentials) WireUnion() *Union { return &credentialsUnion }

type noCredentials struct{}

type accountKey struct {
	Key string `yaml:"account_key,required" json:"key"`
}

var accountKeyLayout = Layout{At: Table{"account_key": "secrets/key"}, REST: Fixed{"secrets/secretsType": "AccountKey"}}

func (accountKey) WireLayout() *Layout { return &accountKeyLayout }

type sasToken struct {
	Token string `yaml:"sas_token,required" json:"sasToken"`
}

var sasTokenLayout = Layout{At: Table{"sas_token": "secrets/sasToken"}, REST: Fixed{"secrets/secretsType": "Sas"}}

func (sasToken) WireLayout() *Layout { return &sasTokenLayout }

type servicePrincipal struct {
	Tenant    string `yaml:"tenant_id,required" json:"tenantId"`
	Client    string `yaml:"client_id,required" json:"clientId"`
	Secret    string `yaml:"client_secret,required" json:"clientSecret"`
	Authority string `yaml:"authority_url" json:"authorityUrl,default=https://login.microsoftonline.com"`
}

var servicePrincipalLayout = Layout{At: Table{"client_secret": "secrets/clientSecret"}, REST: Fixed{"secrets/secretsType": "ServicePrincipal"}}

func (servicePrincipal) WireLayout() *Layout { return &servicePrincipalLayout }

// An AutoML job: the task's keys stand among the job's in YAML, below taskDetails in REST.

type autoML struct {
	Name       string             `yaml:"name" json:"name,ro"`
	Experiment string             `yaml:"experiment_name" json:"experimentName"`
	Compute    string             `yaml:"compute" json:"computeId"`
	Tags       map[string]*string `yaml:"tags" json:"tags,keep"`
	Task       automlTask         `yaml:",inline" json:"taskDetails"`
	doc        Document
}

var autoMLLayout = Layout{Name: "AutoML job", Base: "properties", At: Table{"name": "/name"}, YAML: Fixed{"type": "automl"}, REST: Fixed{"jobType": "AutoML"}}

func (autoML) WireLayout() *Layout        { return &autoMLLayout }
func (a *autoML) WireDocument() *Document { return &a.doc }
func (autoML) job()                       {}

type automlTask interface{ task() }

type table struct {
	Target           string           `yaml:"target_column_name,required" json:"targetColumnName"`
	Limits           *tableLimits     `yaml:"limits" json:"limitSettings"`
	CrossValidations crossValidations `yaml:"n_cross_validations" json:"nCrossValidations"`
}

type tableLimits struct {
	Trials  int           `yaml:"max_trials" json:"maxTrials"`
	Timeout time.Duration `yaml:"timeout_minutes,minutes" json:"timeout"`
}

// crossValidations is a number or "auto".
type crossValidations struct {
	Auto bool
	N    int
}

func (c crossValidations) EncodeWire(e *Encoding) (any, error) {
	switch {
	case yamlValues(e.Spelling()) && c.Auto:
		return "auto", nil
	case yamlValues(e.Spelling()):
		return c.N, nil
	case c.Auto:
		return e.Tag(map[string]any{"mode": "Auto"}, "mode"), nil
	}
	return e.Tag(map[string]any{"mode": "Custom", "value": c.N}, "mode"), nil
}

func (c *crossValidations) DecodeWire(d *Decoding, n *Node) {
	if !yamlValues(d.Spelling()) {
		if m, _ := n.Get("mode").Str(); strings.EqualFold(m, "auto") {
			c.Auto = true
		} else if v := n.Get("value"); v != nil {
			d.Into(v, &c.N)
		}
		return
	}
	if s, ok := n.Str(); ok && strings.EqualFold(s, "auto") {
		c.Auto = true
		return
	}
	d.Into(n, &c.N)
}

type classification struct {
	table
	Positive string `yaml:"positive_label" json:"positiveLabel"`
}

var classificationLayout = Layout{YAML: Fixed{"task": "classification"}, REST: Fixed{"taskType": "Classification"}}

func (classification) WireLayout() *Layout { return &classificationLayout }
func (classification) task()               {}

type regression struct {
	table
}

var regressionLayout = Layout{YAML: Fixed{"task": "regression"}, REST: Fixed{"taskType": "Regression"}}

func (regression) WireLayout() *Layout { return &regressionLayout }
func (regression) task()               {}

type otherTask struct {
	Raw Raw `yaml:"-" json:"."`
}

func (otherTask) task() {}

var _ = RegisterSum[automlTask](&Sum{
	Name: "AutoML task", YAML: "task", REST: "taskType",
	Arms:    []Arm{ArmOf[classification]("classification", "Classification"), ArmOf[regression]("regression", "Regression")},
	Unknown: func() any { return new(otherTask) },
})

// A pipeline with a command node.

type job interface{ job() }

var _ = RegisterSum[job](&Sum{
	Name: "job", YAML: "type", Default: "pipeline", REST: "properties/jobType",
	Arms: []Arm{ArmOf[autoML]("automl", "AutoML"), ArmOf[pipeline]("pipeline", "Pipeline")},
})

type pipeline struct {
	Jobs     map[string]node `yaml:"jobs" json:"jobs"`
	Settings map[string]any  `yaml:"settings" json:"settings"`
	doc      Document
}

var pipelineLayout = Layout{Name: "pipeline job", Base: "properties", YAML: Fixed{"type": "pipeline"}, REST: Fixed{"jobType": "Pipeline"}}

func (pipeline) WireLayout() *Layout        { return &pipelineLayout }
func (p *pipeline) WireDocument() *Document { return &p.doc }
func (pipeline) job()                       {}

type node interface{ node() }

var _ = RegisterSum[node](&Sum{Name: "node", YAML: "type", Default: "command", REST: "type", Arms: []Arm{ArmOf[commandNode]("command", "command")}})

type commandNode struct {
	Component    string        `yaml:"component" json:"componentId" node:"componentId"`
	Compute      string        `yaml:"compute" json:"computeId" node:"computeId"`
	Inputs       map[string]in `yaml:"inputs" json:"inputs"`
	Limits       *cmdLimits    `yaml:"limits" json:"limits"`
	Resources    *resources    `yaml:"resources" json:"resources"`
	Distribution distribution  `yaml:"distribution" json:"distribution"`
	Retry        *retry        `yaml:"retry_settings" json:"retrySettings" node:",yaml"`
	Display      string        `yaml:"display_name" json:"displayName"`
	Bindings     Bindings
}

var commandNodeLayout = Layout{Name: "command node", YAML: Fixed{"type": "command"}, REST: Fixed{"type": "command"}}

func (commandNode) WireLayout() *Layout { return &commandNodeLayout }
func (commandNode) node()               {}

// EncodeWire: a node is a node inside REST too.
func (c commandNode) EncodeWire(e *Encoding) (any, error) {
	if e.Spelling() == REST {
		e = e.As(NodeJSON)
	}
	return e.Plain(c)
}

func (c *commandNode) DecodeWire(d *Decoding, n *Node) {
	if d.Spelling() == REST {
		d = d.As(NodeJSON)
	}
	d.Plain(n, c)
}

type in struct {
	Type, Path, Value string
}

func (i in) EncodeWire(e *Encoding) (any, error) {
	if yamlValues(e.Spelling()) {
		if i.Type == "" {
			return i.Value, nil
		}
		return map[string]any{"type": i.Type, "path": i.Path}, nil
	}
	key := e.Key("jobInputType")
	if i.Type == "" {
		return e.Tag(map[string]any{key: "literal", "value": i.Value}, key), nil
	}
	return e.Tag(map[string]any{key: i.Type, "uri": i.Path}, key), nil
}

func (i *in) DecodeWire(d *Decoding, n *Node) {
	switch {
	case n.IsScalar():
		i.Value = PythonStr(n.Value)
	case yamlValues(d.Spelling()):
		i.Type, _ = n.Get("type").Str()
		i.Path, _ = n.Get("path").Str()
	default:
		i.Type, _ = n.Get(d.Key("jobInputType")).Str()
		i.Path, _ = n.Get("uri").Str()
		i.Value, _ = n.Get("value").Str()
		if i.Type == "literal" {
			i.Type = ""
		}
	}
}

type cmdLimits struct {
	Timeout time.Duration `yaml:"timeout,seconds" json:"timeout"`
}

var cmdLimitsLayout = Layout{REST: Fixed{"jobLimitsType": "Command"}}

func (cmdLimits) WireLayout() *Layout { return &cmdLimitsLayout }

type resources struct {
	Count int            `yaml:"instance_count" json:"instanceCount"`
	Shm   string         `yaml:"shm_size" json:"shmSize"`
	Extra map[string]any `yaml:"-" json:"." extra:""`
}

type retry struct {
	Timeout time.Duration `yaml:"timeout,seconds" json:"timeout"`
	Max     int           `yaml:"max_retries" json:"maxRetries"`
}

type distribution struct {
	PyTorch *processes `yaml:"pytorch" json:"PyTorch"`
	MPI     *processes `yaml:"mpi" json:"Mpi"`
	Other   Raw
}

var distributionUnion = Union{YAML: "type", REST: "distributionType"}

func (distribution) WireUnion() *Union { return &distributionUnion }

type processes struct {
	PerInstance int `yaml:"process_count_per_instance" json:"processCountPerInstance"`
}
