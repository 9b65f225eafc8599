from tests.fixtures.service import IMAGE, Service


async def test_an_image_is_answered_with_a_link_and_a_receipt(service: Service) -> None:
    ada = await service.customer(plan="free")
    answer = await ada.client.post(IMAGE, json={"prompt": "a lighthouse"})
    body = answer.json()
    assert answer.status_code == 200, body
    image = await service.client().get(body.pop("image_url"))
    assert image.status_code == 200
    assert image.headers["content-type"] == "image/png"
    assert body == {
        "success": True,
        "job_id": body["job_id"],
        "credits_charged": 5,
        "credits_remaining": 20,
        "model": "stub-image",
        "provider": "stub",
    }
    assert await ada.credits() == 20
