package rest

// At is a client of another workspace by the same credential and transport. What discovery found of this one does not hold
// for it.
func (c *Client) At(id ID) *Client {
	other := *c
	other.id, other.found = id, newDiscoveries()
	return &other
}
