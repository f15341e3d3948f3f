package jobs

import (
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// CommandLimits bound a command job.
type CommandLimits struct {
	// Timeout is how long it may run, in whole seconds. Defaults to no limit.
	Timeout time.Duration `yaml:"timeout,seconds" json:"timeout"`
}

var commandLimits = wire.Layout{REST: wire.Fixed{"jobLimitsType": "Command"}}

// WireLayout places the fields.
func (CommandLimits) WireLayout() *wire.Layout { return &commandLimits }

// JobTier is what a job without a compute of its own is served by.
type JobTier string

// The tiers. Spot may be interrupted.
const (
	TierSpot     JobTier = "spot"
	TierBasic    JobTier = "basic"
	TierStandard JobTier = "standard"
	TierPremium  JobTier = "premium"
	TierNull     JobTier = "null"
)

var jobTiers = wire.PascalEnum("spot", "basic", "standard", "premium", "null")

// WireEnum lists the spellings.
func (JobTier) WireEnum() *wire.Enum { return jobTiers }

// Priority is the place of a job among those that wait.
type Priority string

// The priorities.
const (
	Low    Priority = "low"
	Medium Priority = "medium"
	High   Priority = "high"
)

var priorities = wire.NewEnum("low", int64(1), "medium", int64(2), "high", int64(3))

// WireEnum lists the spellings.
func (Priority) WireEnum() *wire.Enum { return priorities }

// Queue says how a job waits for a place.
type Queue struct {
	Tier     JobTier  `yaml:"job_tier" json:"jobTier"`
	Priority Priority `yaml:"priority" json:"priority"`
}
