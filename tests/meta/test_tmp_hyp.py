from hypothesis import given, strategies as st
import asyncio, pytest, time
@given(st.integers())
def test_h(x: int) -> None:
    assert x == x
@given(st.integers())
async def test_ha(x: int) -> None:
    await asyncio.sleep(0)
@pytest.mark.timeout(1)
async def test_hang() -> None:
    await asyncio.Event().wait()
@pytest.mark.timeout(1)
async def test_hang_busy() -> None:
    while True:
        await asyncio.sleep(0)
@pytest.mark.timeout(1)
async def test_hang_child() -> None:
    c = await asyncio.create_subprocess_exec("sleep", "5")
    try:
        await c.wait()
    finally:
        c.kill(); await c.wait()
async def test_after() -> None:
    await asyncio.sleep(0)
