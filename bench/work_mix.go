package main

// mix is a busy day: 80 % introspections, 10 % grants, 5 % registrations and
// updates, 4 % pages, 1 % shares given and taken back. What is asked about
// follows a Zipf law: few things are asked about often, most hardly ever.
func (k *worker) mix() error {
	switch p := k.rand.IntN(200); {
	case p < 160:
		return k.inspect(k.rpts[k.often(len(k.rpts))])
	case p < 180:
		r := k.often(len(k.resources))
		for classOf(r) != open {
			r = k.often(len(k.resources))
		}
		_, err := k.grant(k.resources[r], "")
		return err
	case p < 185:
		_, err := k.register(k.rand.IntN(len(k.owners)))
		return err
	case p < 190:
		return k.updateAny()
	case p < 198:
		return k.page()
	case p < 199:
		return k.shareAny()
	default:
		s, ok := k.shared.take()
		if !ok {
			return k.shareAny()
		}
		return k.unshare(s)
	}
}

// often chooses by a Zipf law. The popular ones lie anywhere.
func (k *worker) often(n int) int {
	const spread = 1_000_003 // prime, and larger than any population
	return int(k.zipf.Uint64()) * spread % n
}
