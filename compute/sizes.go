package compute

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"

	"github.com/azureml-go/azureml/internal/rest"
)

// Size is a kind of machine.
type Size struct {
	Name   string `json:"name"`
	Family string `json:"family"`
	VCPUs  int    `json:"vCPUs"`
	GPUs   int    `json:"gpus"`
	// OSDiskMB and MaxDiskMB are in MiB, MemoryGB in GiB.
	OSDiskMB    int      `json:"osVhdSizeMB"`
	MaxDiskMB   int      `json:"maxResourceVolumeMB"`
	MemoryGB    float64  `json:"memoryGB"`
	LowPriority bool     `json:"lowPriorityCapable"`
	PremiumIO   bool     `json:"premiumIO"`
	Computes    []string `json:"supportedComputeTypes"`
	Prices      *Prices  `json:"estimatedVMPrices"`
}

// Prices are estimates.
type Prices struct {
	Currency string  `json:"billingCurrency"` // USD
	Unit     string  `json:"unitOfMeasure"`   // OneHour
	Values   []Price `json:"values"`
}

// Price is that of one hour.
type Price struct {
	Amount float64 `json:"retailPrice"`
	OS     string  `json:"osType"` // Linux, Windows
	Tier   string  `json:"vmTier"` // Standard, LowPriority, Spot
}

// SizesOptions choose sizes.
type SizesOptions struct {
	// Location defaults to the workspace's.
	Location string
	// Kind of compute that takes the size: AmlCompute, ComputeInstance. Defaults to all.
	Kind string
}

// Sizes lists the kinds of machines of a location (VirtualMachineSizes_List).
func (c *Client) Sizes(ctx context.Context, o *SizesOptions) ([]*Size, error) {
	if o == nil {
		o = &SizesOptions{}
	}
	const op = "compute: list sizes"
	at, err := c.location(ctx, op, o.Location)
	if err != nil {
		return nil, err
	}
	q := url.Values{}
	if o.Kind != "" {
		q.Set("computeType", o.Kind)
	}
	var out struct {
		Value []*Size `json:"value"`
		Aml   []*Size `json:"amlCompute"` // older services
	}
	err = c.rest.Do(ctx, &rest.Call{Op: op, Path: c.rest.ProviderPath("locations", at, "vmSizes"), Query: q, Group: "vmSizes", Out: &out})
	return append(out.Value, out.Aml...), err
}

// Usage is how much of a quota is used.
type Usage struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	Unit    string    `json:"unit"` // Count
	Current int64     `json:"currentValue"`
	Limit   int64     `json:"limit"`
	Name    UsageName `json:"name"`
}

// UsageName is what a usage or quota is of.
type UsageName struct {
	Value     string `json:"value"`
	Localized string `json:"localizedValue"`
}

// UsageOptions choose usages and quotas.
type UsageOptions struct {
	// Location defaults to the workspace's.
	Location string
}

// Usages yields how much of each quota of a location is used (Usages_List).
func (c *Client) Usages(ctx context.Context, o *UsageOptions) iter.Seq2[*Usage, error] {
	return inLocation[Usage](ctx, c, "compute: list usages", "usages", o)
}

// Quota is how many cores of a family a workspace may use.
type Quota struct {
	ID    string    `json:"id,omitempty"`
	Type  string    `json:"type,omitempty"`
	Limit int64     `json:"limit"`
	Unit  string    `json:"unit,omitempty"` // Count
	Name  UsageName `json:"name,omitzero"`
	// Status says how an update went: Success, Failure, and why not.
	Status string `json:"status,omitempty"`
}

// Quotas yields the quotas of the subscription's workspaces in a location (Quotas_List).
func (c *Client) Quotas(ctx context.Context, o *UsageOptions) iter.Seq2[*Quota, error] {
	return inLocation[Quota](ctx, c, "compute: list quotas", "quotas", o)
}

// UpdateQuotas sets quotas of workspaces (Quotas_Update) and answers what became of each: look at Status.
func (c *Client) UpdateQuotas(ctx context.Context, quotas []*Quota, o *UsageOptions) ([]*Quota, error) {
	if o == nil {
		o = &UsageOptions{}
	}
	const op = "compute: update quotas"
	if len(quotas) == 0 {
		return nil, fmt.Errorf("%s: no quota is given", op)
	}
	at, err := c.location(ctx, op, o.Location)
	if err != nil {
		return nil, err
	}
	type one struct {
		ID    string `json:"id"`
		Type  string `json:"type,omitempty"`
		Limit int64  `json:"limit"`
		Unit  string `json:"unit,omitempty"`
	}
	body := struct {
		Value    []one  `json:"value"`
		Location string `json:"location"`
	}{Location: at}
	for _, q := range quotas {
		body.Value = append(body.Value, one{q.ID, q.Type, q.Limit, q.Unit})
	}
	var out struct {
		Value []*Quota `json:"value"`
	}
	err = c.rest.Do(ctx, &rest.Call{Op: op, Method: http.MethodPost, Path: c.rest.ProviderPath("locations", at, "updateQuotas"), Group: "quotas", Idempotent: true, Body: body, Out: &out})
	return out.Value, err
}

func inLocation[T any](ctx context.Context, c *Client, op, coll string, o *UsageOptions) iter.Seq2[*T, error] {
	location := ""
	if o != nil {
		location = o.Location
	}
	return func(yield func(*T, error) bool) {
		at, err := c.location(ctx, op, location)
		if err != nil {
			yield(nil, err)
			return
		}
		for v, err := range rest.All(ctx, c.rest, &rest.Call{Op: op, Path: c.rest.ProviderPath("locations", at, coll), Group: coll}, rest.As[T]) {
			if !yield(v, err) {
				return
			}
		}
	}
}

func (c *Client) location(ctx context.Context, op, own string) (string, error) {
	if own != "" {
		return own, nil
	}
	w, err := c.rest.Workspace(ctx)
	if err != nil {
		return "", rest.WithOp(op, err)
	}
	if w.Location == "" {
		return "", rest.WithOp(op, errors.New("the workspace names no location: Options.Location is needed"))
	}
	return w.Location, nil
}
