"""Money: what is sold, what Stripe says was paid, and what an account gets for it."""
