"""What somebody pays for is what they get: once, whatever the events of it do on the way."""

from tests.fixtures.shop import Shop


async def test_a_pack_is_bought(shop: Shop) -> None:
    ada = await shop.buyer()
    await ada.buy(100)
    assert await ada.state() == (25, 0, "free"), "not before Stripe says so"
    await shop.send()
    assert await ada.state() == (125, 0, "free")
    assert await ada.entries() == [("grant", 25), ("purchase", 100)]
    (payment,) = await ada.payments()
    assert (payment.kind, payment.amount, payment.currency) == ("pack", 500, "usd")


async def test_a_subscription_brings_its_plan_and_the_credits_of_each_period_that_is_paid(shop: Shop) -> None:
    ada = await shop.buyer()
    subscription = await ada.subscribe("pro")
    await shop.send()
    assert await ada.state() == (525, 0, "pro")
    shop.stripe.world.renew(subscription)
    await shop.send()
    assert await ada.state() == (1025, 0, "pro")
