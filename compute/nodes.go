package compute

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"github.com/azureml-go/azureml/internal/rest"
)

// Node is a machine of a cluster.
type Node struct {
	ID        string `json:"nodeId"`
	PrivateIP string `json:"privateIpAddress"`
	PublicIP  string `json:"publicIpAddress"`
	Port      int    `json:"port"` // of SSH
	// State is idle, running, preparing, unusable, leaving or preempted.
	State string `json:"nodeState"`
	// Job is the name of the job that runs there.
	Job string `json:"runId"`
}

// Nodes yields the machines that a cluster has now (Compute_ListNodes).
func (c *Client) Nodes(ctx context.Context, name string) iter.Seq2[*Node, error] {
	return rest.All(ctx, c.rest, &rest.Call{
		Op: op("list nodes of", name), Method: http.MethodPost, Path: c.rest.Path("computes", name, "listNodes"), Group: "computes",
		Idempotent: true, Items: "nodes",
	}, rest.As[Node])
}

// Keys are the secrets of an attached compute. What does not belong to its kind is empty.
type Keys struct {
	Kind            string `json:"computeType"`
	UserKubeConfig  string `json:"userKubeConfig"`
	AdminKubeConfig string `json:"adminKubeConfig"`
	ImagePullSecret string `json:"imagePullSecretName"`
	Administrator   *struct {
		User       string `json:"username"`
		Password   string `json:"password"`
		PublicKey  string `json:"publicKeyData"`
		PrivateKey string `json:"privateKeyData"`
	} `json:"administratorAccount"`
	DatabricksToken string `json:"databricksAccessToken"`
}

// String says whose keys they are and not what.
func (k *Keys) String() string { return fmt.Sprintf("keys of a compute of the kind %s", k.Kind) }

// GoString is String.
func (k *Keys) GoString() string { return k.String() }

// Keys reads the secrets of an attached compute (Compute_ListKeys).
func (c *Client) Keys(ctx context.Context, name string) (*Keys, error) {
	return rest.Ask[Keys](ctx, c.rest, &rest.Call{
		Op: op("list keys of", name), Method: http.MethodPost, Path: c.rest.Path("computes", name, "listKeys"), Group: "computes", Idempotent: true,
	})
}
