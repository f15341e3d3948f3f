package workspace

import (
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azureml-go/azureml/internal/rest"
)

// Client is the door to one workspace. It is safe for use by many goroutines and holds nothing that needs closing.
type Client struct {
	id   ID
	rest *rest.Client
}

// New makes a client for a workspace. It sends nothing: a workspace that is not there shows at the first call.
func New(id ID, cred azcore.TokenCredential, o *Options) (*Client, error) {
	if o == nil {
		o = &Options{}
	}
	r, err := rest.New(rest.ID(id), cred, o.rest())
	if err != nil {
		return nil, fmt.Errorf("workspace: new: %w", err)
	}
	return &Client{id: id, rest: r}, nil
}

// ID is the workspace's.
func (c *Client) ID() ID { return c.id }
